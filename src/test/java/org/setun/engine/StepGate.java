package org.setun.engine;

import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.setun.model.Batch;

/** Lets a test run the engine step by step: each forward pass shows its batch and then waits to be let through. */
final class StepGate implements Consumer<Batch> {

    private final LinkedBlockingQueue<Batch> arrived = new LinkedBlockingQueue<>();
    private final Semaphore passes = new Semaphore(0);

    @Override
    public void accept(Batch batch) {
        arrived.add(batch);
        passes.acquireUninterruptibly();
    }

    /** Waits until the engine stands at the next step, and returns the step's batch. */
    Batch awaitStep() {
        try {
            Batch batch = arrived.poll(20, TimeUnit.SECONDS);
            if (batch == null) {
                throw new AssertionError("no step within 20 seconds");
            }
            return batch;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** Lets the step run at which the engine stands. */
    void pass() {
        passes.release();
    }

    /** Lets all steps run from now on. */
    void open() {
        passes.release(1_000_000);
    }
}
