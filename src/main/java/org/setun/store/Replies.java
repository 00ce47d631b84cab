package org.setun.store;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisFuture;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;

/** Waits for what Redis answers. */
final class Replies {

    private Replies() {}

    /**
     * Waits until all have come, and returns those that are no errors.
     *
     * @param nanos how long to wait at most
     * @param errors told of every error that Redis replies
     * @throws StoreFaultException if they have not come in time, or the connection is lost
     */
    static <T> List<T> await(List<RedisFuture<T>> futures, long nanos, Consumer<Throwable> errors)
            throws StoreFaultException, InterruptedException {
        CompletableFuture<?>[] all =
                futures.stream().map(RedisFuture::toCompletableFuture).toArray(CompletableFuture<?>[]::new);
        try {
            CompletableFuture.allOf(all).handle((done, fault) -> true).get(nanos, TimeUnit.NANOSECONDS);
            List<T> replies = new ArrayList<>(futures.size());
            for (RedisFuture<T> future : futures) {
                try {
                    replies.add(future.get());
                } catch (ExecutionException e) {
                    if (!(e.getCause() instanceof RedisCommandExecutionException)) {
                        throw e;
                    }
                    errors.accept(e.getCause());
                }
            }
            return replies;
        } catch (TimeoutException e) {
            throw new StoreFaultException(
                    "no reply from Redis within " + TimeUnit.NANOSECONDS.toMillis(nanos) + " ms", e);
        } catch (ExecutionException e) {
            throw new StoreFaultException("the connection to Redis failed: " + e.getCause(), e);
        } finally {
            for (CompletableFuture<?> future : all) {
                future.cancel(false);
            }
        }
    }
}
