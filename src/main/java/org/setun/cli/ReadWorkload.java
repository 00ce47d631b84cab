package org.setun.cli;

import org.setun.kernel.StreamingRead;
import org.setun.kernel.WorkerPool;

/**
 * Reading memory in order.
 *
 * @param memory what is read
 * @param workers who read
 */
record ReadWorkload(StreamingRead memory, WorkerPool workers) implements Workload {

    @Override
    public int parts() {
        return 1;
    }

    @Override
    public long units(int part) {
        return memory.bytes();
    }

    @Override
    public void run(int part) {
        memory.read(workers);
    }
}
