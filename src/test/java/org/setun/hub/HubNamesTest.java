package org.setun.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Names from users and from hubs: models, patterns and files. */
final class HubNamesTest {

    private static final Path DIRECTORY = Path.of("models", "m").toAbsolutePath();

    @ParameterizedTest
    @CsvSource({
        "microsoft/bitnet-b1.58-2B-4T, main, ''",
        "a/b@v1.0, v1.0, ''",
        "a/b@refs/pr/12, refs/pr/12, ''",
        "a/b:TQ2_0, main, TQ2_0",
        "a/b:TQ2_0@v1, v1, TQ2_0",
        "a/b@v1:TQ2_0, v1, TQ2_0",
        "_a/b_c.d-e, main, ''"
    })
    void aReferenceNamesModelRevisionAndQuantisation(String text, String revision, String quantisation) {
        ModelReference model = ModelReference.parse(text, null);
        assertThat(model.repository()).isEqualTo(text.split("[@:]", 2)[0]);
        assertThat(model.revision()).isEqualTo(revision);
        assertThat(model.quantisation())
                .isEqualTo(quantisation.isEmpty() ? Optional.empty() : Optional.of(quantisation));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "gpt2",
                "/b",
                "a/",
                "a/b/c",
                "../b",
                "a/..",
                "a/b..c",
                "a/b--c",
                "a/-b",
                "a/b.",
                "a/b.git",
                "a/b c",
                "a\\b/c",
                "a/b@",
                "a/b@x y",
                "a/b:",
                "a/b:*",
                "https://huggingface.co/a/b",
                "a/\u202eb"
            })
    void whatIsNoReferenceIsRefused(String text) {
        assertThatThrownBy(() -> ModelReference.parse(text, null)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void oneRevisionIsEnough() {
        assertThat(ModelReference.parse("a/b", "v2").revision()).isEqualTo("v2");
        assertThat(ModelReference.parse("a/b@v2", "v2").revision()).isEqualTo("v2");
        assertThatThrownBy(() -> ModelReference.parse("a/b@v1", "v2"))
                .hasMessage("expected one revision, found \"v1\" and \"v2\"");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "config.json",
                "sub/dir/model-00001-of-00002.safetensors",
                ".gitattributes",
                "..a/b..c",
                "console.txt",
                "com10.txt",
                "é/模型.gguf",
                "a b"
            })
    void ordinaryNamesStayInTheDirectory(String name) throws Exception {
        assertThat(RepositoryPath.resolve(DIRECTORY, name)).isEqualTo(DIRECTORY.resolve(name));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "..",
                ".",
                "../evil",
                "a/../../evil",
                "a/./b",
                "/etc/passwd",
                "//server/share",
                "a//b",
                "a/",
                "..\\evil",
                "a\\b",
                "C:evil",
                "C:/evil",
                "file.txt:stream",
                "CON",
                "con.json",
                "sub/NUL.txt",
                "Aux .txt",
                "COM1",
                "lpt9.safetensors",
                "lpt¹",
                "conin$",
                "a\u0000b",
                "a\nb",
                "a\u001b[31m",
                "a\u202egnp.exe",
                "a.",
                "a /b",
                ".git/hooks/post-checkout",
                "sub/.GIT/config",
                ".setun-pull/lock",
                ".Setun-Pull/lock",
                "\ud800"
            })
    void hostileNamesAreRefused(String name) {
        assertThatThrownBy(() -> RepositoryPath.resolve(DIRECTORY, name))
                .isInstanceOf(HubException.class)
                .hasMessageStartingWith("the hub lists a file called \"")
                .message()
                .matches("\\P{Cntrl}*");
    }

    @Test
    void overlongNamesAreRefused() throws Exception {
        RepositoryPath.resolve(DIRECTORY, "x".repeat(255));
        assertThatThrownBy(() -> RepositoryPath.resolve(DIRECTORY, "x".repeat(256)))
                .hasMessageContaining("expected parts of up to 255 bytes, found 256");
        assertThatThrownBy(() -> RepositoryPath.resolve(DIRECTORY, "é".repeat(128)))
                .hasMessageContaining("found 256");
        assertThatThrownBy(() -> RepositoryPath.resolve(DIRECTORY, "x/".repeat(600) + "x"))
                .hasMessageContaining("expected 1 to 1024 bytes, found 1201");
    }

    @Test
    void namesThatCannotLieSideBySideAreRefused() throws Exception {
        RepositoryPath.requireDistinct(List.of("a/b", "a/c", "ab"));
        for (List<String> names : List.of(
                List.of("a", "a"), List.of("README.md", "readme.md"), List.of("a/b", "a"), List.of("x/Y/z", "X/y"))) {
            assertThatThrownBy(() -> RepositoryPath.requireDistinct(names))
                    .isInstanceOf(HubException.class)
                    .hasMessageContaining("cannot both be files");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "*.json, config.json, true",
        "*.json, sub/config.json, true",
        "*.json, config.json5, false",
        "model-?????-of-*, model-00001-of-2, true",
        "sub/, sub/a/b, true",
        "sub/, sub, false",
        "[ab]c, ac, true",
        "[!ab]c, ac, false",
        "[!ab]c, xc, true",
        "[a-c]x, bx, true",
        "a[, a[, true",
        "a.b, axb, false",
        "(a|b)+, a, false",
        "[]]x, ]x, true",
        "[^a]x, ^x, true",
        "[&&]x, &x, true"
    })
    void patternsMatchAsPythonsDo(String glob, String path, boolean matches) {
        assertThat(Glob.of(glob).matches(path)).isEqualTo(matches);
    }

    @Test
    void anImpossibleSetIsRefused() {
        assertThatThrownBy(() -> Glob.of("[z-a]"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("expected a pattern such as *.json, found [z-a]");
    }
}
