package org.setun.cli.load;

import java.net.http.HttpClient;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Puts a server under load and measures what its users would feel.
 *
 * <p>The load is open: requests are sent at their times whatever becomes of those before, as users come who do not know of each
 * other. A generator that waits for an answer before it sends the next request slows down with the server, and never shows what
 * happens when more comes than can be done. One who limits the concurrency gives that up in part: requests then wait here for
 * their turn, but their latencies count from when they were to be sent all the same.
 */
public final class LoadTest {

    private static final Duration CONNECT_PATIENCE = Duration.ofSeconds(30);

    private LoadTest() {}

    /**
     * Runs a plan to the end of its last request.
     *
     * @param notes told what is about to be done
     * @throws LoadTestException if the server is not there or not usable; what goes wrong later is in the report
     */
    public static LoadReport run(LoadPlan plan, Consumer<String> notes) throws LoadTestException, InterruptedException {
        try (ExecutorService clientThreads = Executors.newVirtualThreadPerTaskExecutor();
                // One connection a request: streams that share one would wait for each other.
                HttpClient http = HttpClient.newBuilder()
                        .version(HttpClient.Version.HTTP_1_1)
                        .connectTimeout(CONNECT_PATIENCE)
                        .executor(clientThreads)
                        .build();
                LoadClient client = new LoadClient(http, plan)) {
            ServedModel served = ModelList.ask(http, plan);
            notes.accept(served.name() + " at " + plan.server() + ": "
                    + plan.arrivals().extent());
            RequestMaker maker = new RequestMaker(plan, served);
            LoadRecorder recorder = new LoadRecorder();
            long start = send(plan, maker, client, recorder);
            return recorder.report(plan, served, start);
        }
    }

    /** Sends all requests, waits for them, and returns when the first of them was to be sent at the earliest. */
    private static long send(LoadPlan plan, RequestMaker maker, LoadClient client, LoadRecorder recorder)
            throws InterruptedException {
        Iterator<Long> times = plan.arrivals().times(plan.seed());
        // What is sent at once is made before; else there is time for it between one request and the next.
        List<String> made = new ArrayList<>();
        if (plan.arrivals().atOnce()) {
            for (int i = 0; i < plan.arrivals().requests().getAsInt(); i++) {
                made.add(maker.body(i));
            }
        }
        Semaphore places = new Semaphore(plan.concurrency().orElse(Integer.MAX_VALUE));
        long start = System.nanoTime();
        try (ExecutorService streams = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; times.hasNext(); i++) {
                String body = made.isEmpty() ? maker.body(i) : made.get(i);
                long intended = start + times.next();
                awaitTime(intended);
                streams.execute(() -> {
                    places.acquireUninterruptibly();
                    recorder.started();
                    recorder.ended(client.send(body, intended));
                    places.release();
                });
            }
        }
        return start;
    }

    private static void awaitTime(long time) throws InterruptedException {
        for (long left = time - System.nanoTime(); left > 0; left = time - System.nanoTime()) {
            LockSupport.parkNanos(left);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
    }
}
