package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.setun.cli.TextFile.Piece;
import org.setun.tokenizer.Tokenizer;

final class TextFileTest {

    private static final Path BYTE_LEVEL_TOKENIZERS = Path.of("src/test/resources/golden/tokenizer");

    @TempDir
    private Path temporary;

    private Path write(String text) throws Exception {
        return Files.writeString(temporary.resolve("text.txt"), text);
    }

    private static List<Piece> read(Path file, int limit) throws Exception {
        List<Piece> pieces = new ArrayList<>();
        try (TextFile texts = TextFile.open(file, limit)) {
            for (Optional<Piece> piece = texts.next(); piece.isPresent(); piece = texts.next()) {
                pieces.add(piece.get());
            }
        }
        return pieces;
    }

    @Test
    void twoEmptyLinesSeparateTexts() throws Exception {
        Path file = write("one\n\nstill one\n\n\ntwo\n\n\n\nthree\n");
        assertThat(read(file, 100))
                .containsExactly(
                        new Piece("one\n\nstill one", true), new Piece("two", true), new Piece("\nthree\n", true));
    }

    @Test
    void everyKindOfLineEndIsReadAsOne() throws Exception {
        Path file = write("one\r\n\r\n\r\ntwo\r\r\rthree\n\r\n\rfour\r");
        assertThat(read(file, 100))
                .containsExactly(
                        new Piece("one", true),
                        new Piece("two", true),
                        new Piece("three", true),
                        new Piece("four\n", true));
    }

    @Test
    void textsOfWhiteSpaceAloneAreLeftOut() throws Exception {
        Path file = write("\n\n\n \u00a0\t\n\n\none\n\n\n\u2003\u0085\n");
        assertThat(read(file, 100)).containsExactly(new Piece("one", true));
    }

    @Test
    void aLongTextIsCutBeforeALineOrAWord() throws Exception {
        assertThat(read(write("abc\ndef ghij jkl"), 8))
                .containsExactly(new Piece("abc\ndef", true), new Piece(" ghij", false), new Piece(" jkl", false));
        assertThat(read(write("abcd.\nef-gh\n\n\nij"), 8))
                .containsExactly(new Piece("abcd.\n", true), new Piece("ef-gh", false), new Piece("ij", true));
    }

    @Test
    void whereThereIsNoPlaceToCutNoCharacterIsSplit() throws Exception {
        assertThat(read(write("a\ud83e\udd8a\ud83e\udd8a\ud83e\udd8a"), 4))
                .containsExactly(new Piece("a\ud83e\udd8a", true), new Piece("\ud83e\udd8a\ud83e\udd8a", false));
    }

    /** What the pieces of a text are together does not depend on their size, nor do the tokens of byte-level tokenizers. */
    @Test
    void piecesHaveTheTokensOfTheirText() throws Exception {
        for (String name : List.of("byte-level-gpt2", "byte-level-llama3")) {
            try (Tokenizer tokenizer = Tokenizer.load(BYTE_LEVEL_TOKENIZERS.resolve(name))) {
                for (long seed = 0; seed < 40; seed++) {
                    String text = randomText(new Random(seed));
                    Path file = write(text);
                    List<String> whole = texts(read(file, text.length() + 1));
                    List<Piece> pieces = read(file, 150);
                    assertThat(texts(pieces)).as("seed %d", seed).isEqualTo(whole);
                    int[] tokens = pieces.stream()
                            .flatMapToInt(piece -> IntStream.of(tokenizer.encode(piece.text(), false)))
                            .toArray();
                    int[] expected = whole.stream()
                            .flatMapToInt(one -> IntStream.of(tokenizer.encode(one, false)))
                            .toArray();
                    assertThat(tokens).as("%s, seed %d", name, seed).isEqualTo(expected);
                }
            }
        }
    }

    /** Joins the pieces of each text. */
    private static List<String> texts(List<Piece> pieces) {
        List<String> texts = new ArrayList<>();
        for (Piece piece : pieces) {
            if (piece.first()) {
                texts.add(piece.text());
            } else {
                texts.add(texts.removeLast() + piece.text());
            }
        }
        return texts;
    }

    /** Words of letters and digits between what separates them in prose; one in a while is followed by an empty line or two. */
    private static String randomText(Random random) {
        String[] words = {"the", "fox", "It's", "na\u00efve", "1958", "Setun", "I'll", "\ud83e\udd8a", "caf\u00e9s"};
        String[] between = {
            " ", " ", " ", " ", " ", ", ", ". ", ".\n", "\n", "\n\n", "  ", "\n\n\n", "\n  ", " \n", "--", "\t"
        };
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < 400; i++) {
            text.append(words[random.nextInt(words.length)]).append(between[random.nextInt(between.length)]);
        }
        return text.append("end").toString();
    }

    @Test
    void aGoodFileIsMeasuredInBytes() throws Exception {
        assertThat(TextFile.check(write("F\u00fcchse \ud83e\udd8a"))).isEqualTo(12);
        String large = "na\u00efve ".repeat(50_000);
        assertThat(TextFile.check(write(large))).isEqualTo(large.getBytes(StandardCharsets.UTF_8).length);
    }

    @Test
    void anEmptyOrBlankFileIsRefused() throws Exception {
        Path empty = write("");
        assertThatThrownBy(() -> TextFile.check(empty))
                .isInstanceOf(InvalidTextException.class)
                .hasMessage(empty + ": expected text, found an empty file; name a file with a text in it");
        Path blank = write(" \n\n\n\n\t");
        assertThatThrownBy(() -> TextFile.check(blank))
                .isInstanceOf(InvalidTextException.class)
                .hasMessage(blank + ": expected text, found white space alone; name a file with a text in it");
    }

    @Test
    void bytesThatAreNotUtf8AreRefusedWithTheirPlace() throws Exception {
        Path file = temporary.resolve("latin.txt");
        for (int before : new int[] {0, 3, 100_000}) {
            byte[] bytes = ("x".repeat(before) + "caf\u00e9 au lait").getBytes(StandardCharsets.ISO_8859_1);
            Files.write(file, bytes);
            assertThatThrownBy(() -> TextFile.check(file))
                    .isInstanceOf(InvalidTextException.class)
                    .hasMessage(file + ": expected UTF-8, found a byte that is not at offset " + (before + 3)
                            + "; convert it, for example with iconv");
        }
        Files.write(file, new byte[] {'a', (byte) 0xe2, (byte) 0x82});
        assertThatThrownBy(() -> TextFile.check(file))
                .as("a character that the file's end cuts")
                .isInstanceOf(InvalidTextException.class)
                .hasMessageContaining("at offset 1;");
    }

    @Test
    void whatIsNoFileIsRefused() {
        Path missing = temporary.resolve("missing.txt");
        assertThatThrownBy(() -> TextFile.check(missing))
                .isInstanceOf(NoSuchFileException.class)
                .hasMessage(missing.toString());
        assertThatThrownBy(() -> TextFile.check(temporary))
                .isInstanceOf(InvalidTextException.class)
                .hasMessage(temporary + ": expected a file, found something else; name a text file");
    }
}
