package org.setun.cli;

import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;
import org.setun.architecture.LoadProgress;
import picocli.CommandLine.Help.Ansi;

/**
 * Shows progress on standard error: a bar on a terminal, a line for every tenth elsewhere. What is done within a second is
 * not worth a word.
 */
final class ConsoleProgress implements LoadProgress, AutoCloseable {

    private static final long QUIET_NANOS = 1_000_000_000L;
    private static final long MEGABYTE = 1 << 20;
    private static final long KILOBYTE = 1 << 10;
    private static final int STEPS = 10;

    private final String task;
    private final long started = System.nanoTime();
    private final boolean terminal;
    private @Nullable ProgressBar bar;
    private long stepsShown;

    ConsoleProgress(String task) {
        this.task = task;
        this.terminal = Ansi.AUTO.enabled();
    }

    @Override
    public void update(String tensor, long doneBytes, long totalBytes) {
        if (System.nanoTime() - started < QUIET_NANOS) {
            return;
        }
        if (terminal) {
            showBar(tensor, doneBytes, totalBytes);
        } else {
            showLine(doneBytes, totalBytes);
        }
    }

    private void showBar(String tensor, long doneBytes, long totalBytes) {
        if (bar == null) {
            // The bar's terminal would else be asked what it can do, and might answer into what the user types.
            System.setProperty(TerminalBuilder.PROP_GRAPHEME_CLUSTER, "false");
            bar = new ProgressBarBuilder()
                    .setTaskName(task)
                    .setUnit(unitName(totalBytes), unit(totalBytes))
                    .setInitialMax(totalBytes)
                    .build();
        }
        bar.setExtraMessage(tensor);
        bar.stepTo(doneBytes);
    }

    private void showLine(long doneBytes, long totalBytes) {
        long steps = totalBytes == 0 ? STEPS : doneBytes * STEPS / totalBytes;
        if (steps > stepsShown) {
            stepsShown = steps;
            long unit = unit(totalBytes);
            System.err.printf(
                    "%s: %d %% (%d of %d %s)%n",
                    task, steps * 100 / STEPS, doneBytes / unit, totalBytes / unit, unitName(totalBytes));
        }
    }

    /** Returns the largest unit in which a tenth of {@code totalBytes} is a number. */
    private static long unit(long totalBytes) {
        return totalBytes < STEPS * KILOBYTE ? 1 : totalBytes < STEPS * MEGABYTE ? KILOBYTE : MEGABYTE;
    }

    private static String unitName(long totalBytes) {
        long unit = unit(totalBytes);
        return unit == 1 ? "B" : unit == KILOBYTE ? "kB" : "MB";
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
