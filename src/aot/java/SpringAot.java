import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.springframework.boot.SpringApplicationAotProcessor;

/**
 * A step of the build, which {@code java} runs from its source: Spring's ahead-of-time processing of Setun, and the compilation of
 * what that writes. Unlike {@code spring-boot:process-aot} it compiles with the JDK that runs it, not with Maven's own.
 */
final class SpringAot {

    private SpringAot() {}

    /**
     * Processes the application.
     *
     * @param arguments the directory for what is generated, the directory of the application's classes, and the application's group
     *     and name
     */
    public static void main(String[] arguments) throws Exception {
        Path generated = Path.of(arguments[0]);
        Path classes = Path.of(arguments[1]);
        Path sources = generated.resolve("sources");
        SpringApplicationAotProcessor.main(new String[] {
            "org.setun.SetunApplication",
            sources.toString(),
            generated.resolve("resources").toString(),
            generated.resolve("classes").toString(),
            arguments[2],
            arguments[3]
        });
        if (Files.exists(generated.resolve("classes"))) {
            throw new IllegalStateException("expected no generated classes, which this step does not copy");
        }
        compile(sources, classes);
    }

    private static void compile(Path sources, Path classes) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null);
                Stream<Path> found = Files.walk(sources)) {
            List<Path> java =
                    found.filter(path -> path.toString().endsWith(".java")).toList();
            List<String> options = List.of(
                    "-nowarn", "-proc:none", "-cp", System.getProperty("java.class.path"), "-d", classes.toString());
            boolean compiled = compiler.getTask(
                            null, files, null, options, null, files.getJavaFileObjectsFromPaths(java))
                    .call();
            if (!compiled) {
                throw new IllegalStateException("what Spring has generated does not compile");
            }
        }
    }
}
