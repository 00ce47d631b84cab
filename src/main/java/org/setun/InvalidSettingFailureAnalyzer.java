package org.setun;

import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationPropertiesBindException;
import org.springframework.boot.context.properties.bind.UnboundConfigurationPropertiesException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.NestedExceptionUtils;

/** Has Spring say which of our settings is out of its range or does not exist; wrong types it explains by itself. */
final class InvalidSettingFailureAnalyzer extends AbstractFailureAnalyzer<ConfigurationPropertiesBindException> {

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
        String message = root.getMessage();
        if (root.getClass() == IllegalArgumentException.class && message != null && message.startsWith("setun.")) {
            return new FailureAnalysis(message, "Correct the setting.", cause);
        }
        return null;
    }
}
