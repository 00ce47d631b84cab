package org.setun.store;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A port that stays the same while the Redis behind it goes and another one comes, and that can keep back what Redis answers.
 * Thread-safe.
 */
public final class RedisProxy implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(RedisProxy.class);

    private final ServerSocket server;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private @Nullable RealRedis target;
    private boolean stalled;

    /** Opens a port in front of {@code target}. */
    public RedisProxy(RealRedis target) throws IOException {
        this.server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        this.target = target;
        Thread.ofVirtual().start(this::acceptAll);
    }

    /** Returns the port's address as settings have it. */
    public String uri() {
        return "redis://" + server.getInetAddress().getHostAddress() + ":" + server.getLocalPort();
    }

    private void acceptAll() {
        while (!server.isClosed()) {
            try {
                connect(server.accept());
            } catch (IOException e) {
                log.debug("The port was closed, or Redis is gone: whoever connects sees it", e);
            }
        }
    }

    private void connect(Socket client) throws IOException {
        RealRedis current = target();
        if (current == null) {
            client.close();
            return;
        }
        Socket redis = new Socket(current.host(), current.port());
        sockets.add(client);
        sockets.add(redis);
        Thread.ofVirtual().start(() -> copy(client, redis, false));
        Thread.ofVirtual().start(() -> copy(redis, client, true));
    }

    private void copy(Socket from, Socket to, boolean mayStall) {
        byte[] buffer = new byte[1 << 16];
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                if (mayStall) {
                    awaitFlow();
                }
                out.write(buffer, 0, read);
            }
        } catch (IOException | InterruptedException e) {
            log.debug("One side is gone, and now the other", e);
        } finally {
            sockets.remove(from);
            sockets.remove(to);
        }
    }

    private synchronized void awaitFlow() throws InterruptedException {
        while (stalled) {
            wait();
        }
    }

    private synchronized @Nullable RealRedis target() {
        return target;
    }

    /** Keeps back all answers, or lets them go. */
    public synchronized void stall(boolean stall) {
        stalled = stall;
        notifyAll();
    }

    /** Sends who connects from now on to another Redis; null for none. */
    public synchronized void target(@Nullable RealRedis next) {
        target = next;
    }

    /** Returns how many connections there are. */
    public int connections() {
        return sockets.size() / 2;
    }

    @Override
    public void close() throws IOException {
        stall(false);
        server.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
