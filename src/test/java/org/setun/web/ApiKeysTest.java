package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class ApiKeysTest {

    /** What {@code printf %s open-sesame | sha256sum} prints. */
    private static final String HASH = "d7ecdf25eaf3deba0f2628771dbdd22d4138ab6cf38f91ed02a2ca0dec7c8ab7";

    @TempDir
    private Path directory;

    @Test
    void aKeyIsKnownByItsName() {
        ApiKeys keys = ApiKeys.of(Map.of("alice", "a-key", "bob", "b-key"), null);

        assertThat(keys.isEmpty()).isFalse();
        assertThat(keys.names()).containsExactlyInAnyOrder("alice", "bob");
        assertThat(keys.name("a-key")).hasValue("alice");
        assertThat(keys.name("b-key")).hasValue("bob");
        assertThat(keys.name("c-key")).isEmpty();
        assertThat(keys.name("")).isEmpty();
        assertThat(keys.name("alice")).isEmpty();
    }

    @Test
    void aHashStandsForItsKey() {
        ApiKeys keys = ApiKeys.of(Map.of("alice", "sha256:" + HASH), null);

        assertThat(keys.name("open-sesame")).hasValue("alice");
        assertThat(keys.name(HASH)).isEmpty();
        assertThat(keys.name("sha256:" + HASH)).isEmpty();
        assertThat(ApiKeys.of(Map.of("bob", "sha256:" + HASH.toUpperCase(Locale.ROOT)), null)
                        .name("open-sesame"))
                .hasValue("bob");
    }

    @Test
    void withoutKeysNobodyIsKnown() {
        assertThat(ApiKeys.none().isEmpty()).isTrue();
        assertThat(ApiKeys.of(Map.of(), null).name("none")).isEmpty();
    }

    @Test
    void aFileAddsItsKeys() throws IOException {
        Path file = write("""
                # who may use the API

                alice: a-key
                  bob:sha256:%s
                carol:with:colons
                """.formatted(HASH));

        ApiKeys keys = ApiKeys.of(Map.of("dave", "d-key"), file);

        assertThat(keys.names()).containsExactly("dave", "alice", "bob", "carol");
        assertThat(keys.name("a-key")).hasValue("alice");
        assertThat(keys.name("open-sesame")).hasValue("bob");
        assertThat(keys.name("with:colons")).hasValue("carol");
        assertThat(keys.name("d-key")).hasValue("dave");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
            secret                | keys, line 2: expected name:key or name:sha256:hash, found no ':'
            alice:                | keys, line 2: expected a key of printable ASCII characters without spaces, found none
            alice:two secrets     | keys, line 2: expected a key of printable ASCII characters without spaces, found others
            alice:sécret          | keys, line 2: expected a key of printable ASCII characters without spaces, found others
            al ice:secret         | keys, line 2: expected a name of 1 to 64 letters, digits, '.', '_' and '-', found 'al ice'
            :secret               | keys, line 2: expected a name of 1 to 64 letters, digits, '.', '_' and '-', found ''
            alice:sha256:secret   | keys, line 2: expected 64 hexadecimal digits after sha256:, found 6 characters that are not that
            first:secret          | keys, line 2: expected each name once, found 'first' a second time
            alice:first-key       | keys, line 2: expected a key of its own, found that of 'first'
            """)
    void aBadLineIsNamedAndItsKeyIsNot(String line, String message) throws IOException {
        Path file = write("first:first-key\n" + line + "\n");

        assertThatExceptionOfType(InvalidSettingException.class)
                .isThrownBy(() -> ApiKeys.of(Map.of(), file))
                .withMessage(directory + "/" + message)
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("secret", "sécret"));
    }

    @Test
    void aHashThatDoesNotSaySoIsNotTakenForAKey() {
        assertThatExceptionOfType(InvalidSettingException.class)
                .isThrownBy(() -> ApiKeys.of(Map.of("alice", HASH), null))
                .withMessage(
                        "setun.server.api-keys.alice: expected sha256: before the hash of a key, found 64 hexadecimal"
                                + " digits without it; if they are the key itself, give its hash");
    }

    @Test
    void anEmptyKeyIsAFaultAndNotAnOpenDoor() {
        assertThatExceptionOfType(InvalidSettingException.class)
                .isThrownBy(() -> ApiKeys.of(Map.of("alice", ""), null))
                .withMessage("setun.server.api-keys.alice: expected a key of printable ASCII characters without spaces,"
                        + " found none");
    }

    @Test
    void aFileWithoutKeysIsAFaultAndNotAnOpenDoor() throws IOException {
        Path file = write("# none yet\n");

        assertThatExceptionOfType(InvalidSettingException.class)
                .isThrownBy(() -> ApiKeys.of(Map.of("alice", "a-key"), file))
                .withMessage(file + ": expected at least one line with name:key or name:sha256:hash, found none");
    }

    @Test
    void aFileThatCannotBeReadIsNamed() throws IOException {
        Path missing = directory.resolve("missing");
        assertThatExceptionOfType(InvalidSettingException.class)
                .isThrownBy(() -> ApiKeys.of(Map.of(), missing))
                .withMessageStartingWith("setun.server.api-key-file: expected a file that can be read, found ")
                .withMessageContaining(missing.toString());

        Path binary = Files.write(directory.resolve("binary"), new byte[] {'a', ':', (byte) 0xFF, '\n'});
        assertThatExceptionOfType(InvalidSettingException.class)
                .isThrownBy(() -> ApiKeys.of(Map.of(), binary))
                .withMessage(binary + ": expected text in UTF-8, found other bytes");

        Path large = write("#".repeat((1 << 20) + 1));
        assertThatExceptionOfType(InvalidSettingException.class)
                .isThrownBy(() -> ApiKeys.of(Map.of(), large))
                .withMessageContaining("expected a list of keys of at most 1048576 bytes, found 1048577");
    }

    private Path write(String text) throws IOException {
        return Files.writeString(directory.resolve("keys"), text, StandardCharsets.UTF_8);
    }
}
