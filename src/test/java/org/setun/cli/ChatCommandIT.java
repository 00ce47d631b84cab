package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The packaged command, through a pipe and at a real terminal. */
@Timeout(120)
final class ChatCommandIT {

    private static final String NOTICE = "WARNING: Using incubator modules: jdk.incubator.vector";
    private static final Path SCRIPT = Path.of("/usr/bin/script");
    private static final List<String> OPTIONS = List.of("chat", "--no-history", "--seed", "7", "--max-tokens", "8");

    private static ProcessBuilder setun() {
        return PackagedSetun.builder(OPTIONS.toArray(String[]::new));
    }

    /** Types {@code keys}, and returns what was printed until the end. */
    private static String hold(ProcessBuilder builder, String keys) throws IOException, InterruptedException {
        Process process = builder.start();
        try {
            try (OutputStream in = process.getOutputStream()) {
                in.write(keys.getBytes(StandardCharsets.UTF_8));
            }
            String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).as(printed).isZero();
            return printed;
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void aPipeGetsNothingButAnswers() throws Exception {
        String keys = "Once upon a time\n/reset\nOnce upon a time\n";
        String answers = hold(setun().redirectError(ProcessBuilder.Redirect.DISCARD), keys);
        assertThat(answers.strip()).isNotEmpty().doesNotContain("setun", "WARNING", "\u001b");
        assertThat(hold(setun().redirectError(ProcessBuilder.Redirect.DISCARD), keys))
                .isEqualTo(answers);
    }

    @Test
    void aTerminalIsReachedWithoutAWarning() throws Exception {
        assumeTrue(Files.isExecutable(SCRIPT), "script(1), which gives a program a terminal, is not here");
        String command = setun().command().stream()
                .map(word -> "'" + word.replace("'", "'\\''") + "'")
                .collect(Collectors.joining(" "));
        ProcessBuilder script =
                new ProcessBuilder(SCRIPT.toString(), "--quiet", "--return", "--command", command, "/dev/null");
        script.environment().put("TERM", "xterm");
        String shown = hold(script.redirectErrorStream(true), "Once upon a time\r/stats\r/exit\r");
        assertThat(shown).contains("setun-fairy, context 4096 tokens", "1 question in", "tokens/s");
        assertThat(shown.lines().filter(line -> line.contains("WARN"))).allMatch(line -> line.contains(NOTICE));
    }
}
