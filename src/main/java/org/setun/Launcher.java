package org.setun;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.setun.cli.JavaOptions;
import org.setun.cli.SetunCommand;

/**
 * Starts Setun, on a JVM that has the modules it needs.
 *
 * <p>A jar's manifest cannot add {@code jdk.incubator.vector}. Where a JVM was started without it, as {@code java -jar
 * setun.jar} does, the same command is started again with the flags of {@link JavaOptions}: on Linux by replacing the process image, so that
 * process id, signals, terminal and exit code stay what they were; elsewhere as a child process.
 */
public final class Launcher {

    private static final String VECTOR_MODULE = "jdk.incubator.vector";
    private static final String RELAUNCHED = "setun.relaunched";
    private static final Path OWN_COMMAND_LINE = Path.of("/proc/self/cmdline");
    private static final Path OWN_EXECUTABLE = Path.of("/proc/self/exe");

    private Launcher() {}

    /** Runs the command that {@code arguments} name; {@code serve} if they name none. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        if (ModuleLayer.boot().findModule(VECTOR_MODULE).isEmpty()) {
            System.exit(relaunch(arguments));
        }
        SetunCommand.run(arguments, SetunApplication::run).ifPresent(System::exit);
    }

    private static int relaunch(String[] arguments) throws IOException, InterruptedException {
        if (Boolean.getBoolean(RELAUNCHED)) {
            System.err.println("setun: this Java has no module " + VECTOR_MODULE + "; run Setun with a JDK 25");
            return 1;
        }
        if (Files.isReadable(OWN_COMMAND_LINE)) {
            replaceProcess(Files.readAllBytes(OWN_COMMAND_LINE));
            // Only reached if the system refused, which a child process may not meet.
        }
        return runChild(arguments);
    }

    /** Returns what a relaunched JVM gets before everything that it was started with. */
    private static List<String> addedFlags() {
        List<String> flags = new ArrayList<>(JavaOptions.ofThisJar());
        flags.add("-D" + RELAUNCHED + "=true");
        return flags;
    }

    /**
     * Replaces this process by the same command with flags added: {@code execv(3)}. Returns only on failure.
     *
     * @param commandLine the arguments of this process, each ended by a zero byte
     */
    private static void replaceProcess(byte[] commandLine) throws IOException {
        Linker linker = Linker.nativeLinker();
        MethodHandle execv = linker.downcallHandle(
                linker.defaultLookup().findOrThrow("execv"),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment executable =
                    arena.allocateFrom(OWN_EXECUTABLE.toRealPath().toString());
            MemorySegment old = arena.allocateFrom(ValueLayout.JAVA_BYTE, commandLine);
            List<MemorySegment> words = new ArrayList<>();
            for (int start = 0, i = 0; i < commandLine.length; i++) {
                if (commandLine[i] == 0) {
                    words.add(old.asSlice(start));
                    start = i + 1;
                }
            }
            List<MemorySegment> added =
                    addedFlags().stream().map(arena::allocateFrom).toList();
            words.addAll(1, added);
            words.add(MemorySegment.NULL);
            MemorySegment argv = arena.allocate(ValueLayout.ADDRESS, words.size());
            for (int i = 0; i < words.size(); i++) {
                argv.setAtIndex(ValueLayout.ADDRESS, i, words.get(i));
            }
            int result = (int) execv.invokeExact(executable, argv);
            System.err.println("setun: could not restart Java in place (execv returned " + result
                    + "); starting it as a child process");
        } catch (IOException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("execv declares no exception", e);
        }
    }

    /** Runs the same command as a child process with flags added, and returns its exit code. */
    private static int runChild(String[] arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(addedFlags());
        command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(mainClass());
        command.addAll(List.of(arguments));
        Process child = new ProcessBuilder(command).inheritIO().start();
        Thread stopChild = new Thread(() -> stop(child), "setun-stop-child");
        Runtime.getRuntime().addShutdownHook(stopChild);
        return child.waitFor();
    }

    /** Returns the loader of the packaged jar if there is one: its classes lie in nested jars. */
    private static String mainClass() {
        String jarLauncher = "org.springframework.boot.loader.launch.JarLauncher";
        boolean packaged = ClassLoader.getSystemResource(jarLauncher.replace('.', '/') + ".class") != null;
        return packaged ? jarLauncher : Launcher.class.getName();
    }

    private static void stop(Process child) {
        child.destroy();
        try {
            child.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
