package org.setun;

import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationPropertiesBindException;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.UnboundConfigurationPropertiesException;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.NestedExceptionUtils;

/** Has Spring say which of our settings is out of its range or does not exist; wrong types it explains by itself. */
final class InvalidSettingFailureAnalyzer extends AbstractFailureAnalyzer<ConfigurationPropertiesBindException> {

    private static final ConfigurationPropertyName API_KEYS = ConfigurationPropertyName.of("setun.server.api-keys");

    @Override
    protected @Nullable FailureAnalysis analyze(Throwable rootFailure, ConfigurationPropertiesBindException cause) {
        Throwable root = NestedExceptionUtils.getMostSpecificCause(cause);
        if (root instanceof UnboundConfigurationPropertiesException unknown) {
            String names = unknown.getUnboundProperties().stream()
                    .map(property -> property.getName().toString())
                    .collect(Collectors.joining(", "));
            return new FailureAnalysis(
                    names + ": there is no such setting, or it needs a value",
                    "Correct the name, or take the setting away; the README lists all settings.",
                    cause);
        }
        BindException bind = findCause(cause, BindException.class);
        if (bind != null && bind.getName().equals(API_KEYS)) {
            // Spring would print the value, which is a key that somebody gave without a name.
            return new FailureAnalysis(
                    API_KEYS + ": expected a name for each key, such as " + API_KEYS
                            + ".alice, found a value without a name",
                    "Give the key a name.",
                    cause);
        }
        String message = root.getMessage();
        if (root.getClass() == IllegalArgumentException.class && message != null && message.startsWith("setun.")) {
            return new FailureAnalysis(message, "Correct the setting.", cause);
        }
        return null;
    }
}
