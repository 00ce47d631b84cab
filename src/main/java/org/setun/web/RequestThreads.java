package org.setun.web;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.stereotype.Component;

/**
 * The few threads that read bodies, render templates and tokenise. They are bounded in number, so that they leave the
 * cores to the model, and so are the requests that wait for one: the next is refused with a
 * {@link java.util.concurrent.RejectedExecutionException}.
 */
@Component
final class RequestThreads implements Executor, DisposableBean {

    private static final int MAX_WAITING = 1024;

    private final ThreadPoolExecutor executor;

    RequestThreads() {
        int threads = Math.clamp(Runtime.getRuntime().availableProcessors() / 4, 2, 8);
        executor = new ThreadPoolExecutor(
                threads,
                threads,
                0,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(MAX_WAITING),
                Thread.ofPlatform().name("request-", 0).daemon().factory());
    }

    @Override
    public void execute(Runnable task) {
        executor.execute(task);
    }

    @Override
    public void destroy() {
        executor.shutdown();
    }
}
