package org.setun.store;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.utility.DockerImageName;
import redis.embedded.core.ExecutableProvider;

/**
 * A real, empty Redis of its own: in a container where Docker runs, else the machine's own {@code redis-server}, else the one that a
 * test dependency carries. Whoever starts it closes it.
 */
public final class RealRedis implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RealRedis.class);

    private static final String IMAGE = "redis:7.4-alpine";
    private static final int PORT = 6379;
    private static final List<String> OPTIONS = List.of("--save", "", "--appendonly", "no");

    private static final int TLS_PORT = 6380;

    private final String host;
    private final int port;
    private final int tlsPort;
    private final Runnable stop;
    private boolean killed;

    private RealRedis(String host, int port, int tlsPort, Runnable stop) {
        this.host = host;
        this.port = port;
        this.tlsPort = tlsPort;
        this.stop = stop;
    }

    /** Starts one that writes nothing to a disk, and waits until it answers. */
    public static RealRedis start() {
        return start(OPTIONS, null);
    }

    /** Starts one with options of {@code redis-server}, and waits until it answers. */
    public static RealRedis start(List<String> options) {
        return start(options, null);
    }

    /** Starts one that also has a port for TLS, where it shows a certificate. */
    static RealRedis startWithTls(TestCertificate certificate) {
        return start(OPTIONS, certificate);
    }

    private static RealRedis start(List<String> options, @Nullable TestCertificate certificate) {
        if (DockerClientFactory.instance().isDockerAvailable()) {
            try {
                return container(options, certificate);
            } catch (RuntimeException e) {
                log.warn("{} does not start, trying without Docker", IMAGE, e);
            }
        }
        try {
            return process(installed().orElseGet(RealRedis::carried), options, certificate);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    // The container is closed by close().
    @SuppressWarnings("resource")
    private static RealRedis container(List<String> options, @Nullable TestCertificate certificate) {
        List<String> command = new ArrayList<>(List.of("redis-server"));
        command.addAll(options);
        GenericContainer<?> container = new GenericContainer<>(DockerImageName.parse(IMAGE)).withExposedPorts(PORT);
        if (certificate != null) {
            container
                    .withCopyToContainer(Transferable.of(certificate.pem(), 0444), "/tls/cert.pem")
                    .withCopyToContainer(Transferable.of(certificate.keyPem(), 0444), "/tls/key.pem")
                    .addExposedPort(TLS_PORT);
            command.addAll(tlsOptions(TLS_PORT, "/tls/cert.pem", "/tls/key.pem"));
        }
        container.withCommand(command.toArray(String[]::new)).start();
        return new RealRedis(
                container.getHost(),
                container.getMappedPort(PORT),
                certificate == null ? 0 : container.getMappedPort(TLS_PORT),
                container::stop);
    }

    private static List<String> tlsOptions(int port, String certificate, String key) {
        return List.of(
                "--tls-port",
                "" + port,
                "--tls-cert-file",
                certificate,
                "--tls-key-file",
                key,
                "--tls-auth-clients",
                "no");
    }

    private static Optional<Path> installed() {
        return Arrays.stream(
                        Optional.ofNullable(System.getenv("PATH")).orElse("").split(File.pathSeparator))
                .map(directory -> Path.of(directory, "redis-server"))
                .filter(Files::isExecutable)
                .findFirst();
    }

    private static Path carried() {
        try {
            return ExecutableProvider.newJarResourceProvider().get().toPath();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static RealRedis process(Path program, List<String> options, @Nullable TestCertificate certificate)
            throws IOException {
        String host = InetAddress.getLoopbackAddress().getHostAddress();
        int port;
        int tlsPort;
        try (ServerSocket free = new ServerSocket(0);
                ServerSocket free2 = new ServerSocket(0)) {
            port = free.getLocalPort();
            tlsPort = free2.getLocalPort();
        }
        List<String> command = new ArrayList<>(List.of(program.toString(), "--port", "" + port, "--bind", host));
        command.addAll(options);
        if (certificate != null) {
            command.addAll(tlsOptions(
                    tlsPort,
                    certificate.file().toString(),
                    certificate.keyFile().toString()));
        }
        Path output = Files.createTempFile("redis", ".log");
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        Thread atExit = new Thread(process::destroyForcibly);
        Runtime.getRuntime().addShutdownHook(atExit);
        awaitAnswer(host, port, process, output);
        return new RealRedis(host, port, certificate == null ? 0 : tlsPort, () -> {
            // As the kernel does to what takes too much memory.
            process.destroyForcibly().onExit().join();
            Runtime.getRuntime().removeShutdownHook(atExit);
            output.toFile().delete();
        });
    }

    private static void awaitAnswer(String host, int port, Process process, Path output) throws IOException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (System.nanoTime() < end && process.isAlive()) {
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(host, port), 1000);
                socket.getOutputStream().write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
                if (socket.getInputStream().read() == '+') {
                    return;
                }
            } catch (IOException e) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
            }
        }
        process.destroyForcibly();
        throw new IOException(process.info().command() + " does not answer:\n" + Files.readString(output));
    }

    /** Returns the machine that it runs on. */
    public String host() {
        return host;
    }

    /** Returns its port. */
    public int port() {
        return port;
    }

    /** Returns its address as settings have it. */
    public String uri() {
        return "redis://" + host + ":" + port;
    }

    /** Returns its address for TLS as settings have it. */
    String tlsUri() {
        return "rediss://" + host + ":" + tlsPort;
    }

    /** Runs commands, beside whatever else is connected. */
    public <T> T commands(Function<RedisCommands<byte[], byte[]>, T> commands) {
        RedisClient client = RedisClient.create(RedisURI.create(uri()));
        try {
            return commands.apply(client.connect(ByteArrayCodec.INSTANCE).sync());
        } finally {
            client.shutdown(0, 1, TimeUnit.SECONDS);
        }
    }

    /** Kills it, with all that it holds. Idempotent. */
    public synchronized void kill() {
        if (!killed) {
            killed = true;
            stop.run();
        }
    }

    @Override
    public void close() {
        kill();
    }
}
