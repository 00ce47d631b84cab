package org.setun;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import tools.jackson.databind.json.JsonMapper;

/**
 * Runs the Python package {@code setun_reference} with the interpreter that the system property {@code setun.python} or the
 * variable {@code SETUN_PYTHON} names, else with {@code python3}. What it gives is also in golden files, which are tested
 * wherever the build runs.
 */
public final class PythonReference {

    private static final Path PACKAGE = Path.of("src/main/python");
    private static final long TIMEOUT_SECONDS = 300;

    /** Importing PyTorch takes seconds, so it is looked for only. */
    private static final String FIND_REQUIREMENTS = """
            import importlib.util as util, sys
            sys.exit(any(util.find_spec(name) is None for name in ("torch", "safetensors", "tokenizers", "numpy")))
            """;

    private static final String RUN_MODULES = """
            import json, runpy, sys
            for words in json.loads(sys.argv[1]):
                sys.argv = words
                runpy.run_module(words[0], run_name="__main__")
            """;

    private final String interpreter;

    private PythonReference(String interpreter) {
        this.interpreter = interpreter;
    }

    /** Finds the interpreter. Where the package's requirements are not installed, the test that asks is not run. */
    public static PythonReference find() throws IOException, InterruptedException {
        String variable = System.getenv().getOrDefault("SETUN_PYTHON", "python3");
        PythonReference python = new PythonReference(System.getProperty("setun.python", variable));
        assumeTrue(python.hasRequirements(), python.interpreter + " has no PyTorch; name another with SETUN_PYTHON");
        return python;
    }

    private boolean hasRequirements() throws InterruptedException {
        try {
            return builder(List.of("-c", FIND_REQUIREMENTS))
                            .redirectErrorStream(true)
                            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                            .start()
                            .waitFor()
                    == 0;
        } catch (IOException e) {
            return false;
        }
    }

    /**
     * A module of the package with its arguments.
     *
     * @param words the module's name, then its arguments; paths become absolute
     */
    public record Command(List<String> words) {

        public Command {
            words = List.copyOf(words);
        }

        /** Creates a command out of what its words look like. */
        public static Command of(String module, Object... arguments) {
            List<String> words = new ArrayList<>(List.of("setun_reference." + module));
            for (Object argument : arguments) {
                words.add(argument instanceof Path path ? path.toAbsolutePath().toString() : String.valueOf(argument));
            }
            return new Command(words);
        }
    }

    /** Runs modules one after the other as {@code python -m} does, but in one process, and returns what they print. */
    public String run(Command... commands) throws IOException, InterruptedException {
        String lines = JsonMapper.shared()
                .writeValueAsString(Arrays.stream(commands).map(Command::words).toList());
        Path out = Files.createTempFile("python-out", ".txt");
        Path err = Files.createTempFile("python-err", ".txt");
        try {
            Process process = builder(List.of("-c", RUN_MODULES, lines))
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile())
                    .start();
            boolean ended = process.waitFor(TIMEOUT_SECONDS, TimeUnit.SECONDS);
            process.destroyForcibly().waitFor();
            assertThat(ended && process.exitValue() == 0)
                    .as("%s %s: %s", interpreter, lines, Files.readString(err))
                    .isTrue();
            return Files.readString(out, StandardCharsets.UTF_8);
        } finally {
            Files.delete(out);
            Files.delete(err);
        }
    }

    private ProcessBuilder builder(List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(interpreter));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).directory(PACKAGE.toFile());
        builder.environment().put("PYTHONDONTWRITEBYTECODE", "1");
        builder.environment().put("PYTHONIOENCODING", "utf-8");
        // The models are small: threads would wait for each other most of the time.
        builder.environment().put("OMP_NUM_THREADS", "1");
        return builder;
    }
}
