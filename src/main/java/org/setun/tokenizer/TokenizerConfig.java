package org.setun.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.databind.JsonNode;

/**
 * What the files beside {@code tokenizer.json} say.
 *
 * @param specialTokens names of special tokens by role, such as {@code bos_token}
 * @param chatTemplate the Jinja source of the chat template
 */
record TokenizerConfig(Map<String, String> specialTokens, Optional<String> chatTemplate) {

    private static final List<String> ROLES = List.of(
            "bos_token",
            "eos_token",
            "unk_token",
            "sep_token",
            "pad_token",
            "cls_token",
            "mask_token",
            // Not one of the library's: what ends a turn, as a GGUF file says it.
            "eot_token");

    TokenizerConfig {
        specialTokens = Map.copyOf(specialTokens);
    }

    /** Reads the files of a directory, none of which must exist. */
    static TokenizerConfig read(Path directory) throws TokenizerFormatException {
        Map<String, String> specialTokens = new LinkedHashMap<>();
        Json.readObject(directory.resolve("special_tokens_map.json")).ifPresent(map -> addRoles(map, specialTokens));
        Path file = directory.resolve(TokenizerFiles.CONFIG);
        Optional<JsonNode> config = Json.readObject(file);
        config.ifPresent(map -> addRoles(map, specialTokens));
        Optional<String> template = separateTemplate(directory.resolve("chat_template.jinja"));
        if (template.isEmpty() && config.isPresent()) {
            template = template(config.get().path("chat_template"), file);
        }
        return new TokenizerConfig(specialTokens, template);
    }

    /** Reads a {@code tokenizer_config.json} that was made from {@code source}. */
    static TokenizerConfig read(Path source, byte[] document) throws TokenizerFormatException {
        JsonNode config = Json.readObject(source, document);
        Map<String, String> specialTokens = new LinkedHashMap<>();
        addRoles(config, specialTokens);
        return new TokenizerConfig(specialTokens, template(config.path("chat_template"), source));
    }

    /** A token is a string, or an object with its content, or null. */
    private static void addRoles(JsonNode map, Map<String, String> specialTokens) {
        for (String role : ROLES) {
            JsonNode token = map.path(role);
            JsonNode content = token.isObject() ? token.path("content") : token;
            if (content.isString()) {
                specialTokens.put(role, content.asString());
            }
        }
    }

    /** Since transformers 4.43 a template may have a file of its own, which then counts. */
    private static Optional<String> separateTemplate(Path file) throws TokenizerFormatException {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(Files.readString(file));
        } catch (IOException e) {
            throw new TokenizerFormatException(
                    file, "expected a chat template in UTF-8, found: " + e, "repair or remove the file", e);
        }
    }

    /** A template is a string, or a list of named ones of which {@code default} counts. */
    private static Optional<String> template(JsonNode template, Path file) throws TokenizerFormatException {
        if (template.isString()) {
            return Optional.of(template.asString());
        }
        if (template.isMissingNode() || template.isNull()) {
            return Optional.empty();
        }
        if (!template.isArray()) {
            throw new TokenizerFormatException(
                    file,
                    "chat_template: expected a text or a list of named templates, found " + template.getNodeType(),
                    "repair or remove the field");
        }
        for (JsonNode named : template) {
            if (named.path("name").asString("").equals("default")
                    && named.path("template").isString()) {
                return Optional.of(named.path("template").asString());
            }
        }
        return Optional.empty();
    }
}
