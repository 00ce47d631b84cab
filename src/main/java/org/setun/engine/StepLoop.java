package org.setun.engine;

import java.time.Duration;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.setun.engine.EngineSettings.BatchLimits;
import org.setun.engine.Scheduler.Scheduled;
import org.setun.engine.Scheduler.StepLimits;
import org.setun.model.Batch;
import org.setun.model.Model;
import org.setun.model.StateLayout;
import org.setun.model.Workspace;
import org.setun.sampling.TokenScore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the engine thread does, over and over: schedule, run, sample, tell. The only writer of all that it holds, and the
 * owner of the sequences' memory.
 */
final class StepLoop implements Runnable, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(StepLoop.class);

    /** How many tokens of prompts can be scored in a step where the engine runs few sequences. */
    private static final int SCORED_ROWS = 32;

    private final Model model;
    private final Inbox inbox;
    private final EngineObserver observer;
    private final LongSupplier nanoClock;
    private final CompletionRate completionRate;
    private final Workspace workspace;
    private final StepResults results;
    private final EngineActivity activity;
    private final StatePool pool;
    private final Forks forks;
    private final PrefixCache cache;
    private final SecondTier secondTier;
    private final StateKeeping keeping;
    private final PrefillBudget prefillBudget;
    private final Scheduler scheduler;
    private final DueEnds dueEnds;

    // For status() on other threads.
    private volatile int running;
    private volatile int freeSlots;
    private volatile int usedPages;

    StepLoop(
            Model model,
            EngineSettings settings,
            Inbox inbox,
            EngineObserver observer,
            PrefixStore store,
            LongSupplier nanoClock) {
        this.model = model;
        this.inbox = inbox;
        this.observer = observer;
        this.nanoClock = nanoClock;
        BatchLimits limits = settings.batch();
        this.dueEnds = new DueEnds(nanoClock.getAsLong());
        this.completionRate = new CompletionRate(limits.maxSequences());
        int maxLogitRows = Math.max(limits.maxSequences(), Math.min(SCORED_ROWS, limits.maxTokens()));
        this.workspace = model.newWorkspace(limits.maxTokens(), maxLogitRows);
        this.results = new StepResults(model, workspace);
        this.activity = new EngineActivity(workspace, nanoClock);
        this.prefillBudget = new PrefillBudget(limits.maxSlowdown(), limits.maxSequences());
        // Last, since its memory is off the heap and nobody would free it if one of the others failed.
        StateLayout layout = model.stateLayout();
        this.pool =
                new StatePool(layout, limits.maxSequences(), settings.memory().pages());
        this.forks = new Forks(layout, pool);
        this.cache = new PrefixCache(layout, pool, forks, settings.memory().snapshots());
        this.secondTier = new SecondTier(store, layout, cache);
        StepLimits step = new StepLimits(
                limits.maxTokens(), maxLogitRows, model.dimensions().vocabSize());
        this.keeping = new StateKeeping(layout, forks, cache, secondTier);
        this.scheduler = new Scheduler(pool, layout, forks, cache, keeping, prefillBudget, step);
        this.freeSlots = pool.free();
    }

    @Override
    public void run() {
        try {
            stepUntilClosed();
        } finally {
            cache.close();
            forks.close();
        }
    }

    private void stepUntilClosed() {
        while (inbox.awaitWork(scheduler.isEmpty())) {
            try {
                step();
            } catch (Throwable fault) {
                // A bug of the engine or of its observer. Ending every request makes what is left consistent again.
                log.error("The engine failed; all its requests end", fault);
                failAll(fault);
            }
        }
        inbox.drain().forEach(scheduler::add);
        failAll(Engine.draining("the server is shutting down and could not finish this request in time"));
    }

    private void step() {
        receive();
        endDue();
        admit();
        List<Scheduled> step = scheduler.schedule();
        usedPages = pool.usedPages();
        if (step.isEmpty()) {
            scheduler.starved().forEach(this::failStarved);
            return;
        }
        Batch batch = new Batch(step.stream().map(Scheduled::chunk).toList());
        long start = nanoClock.getAsLong();
        try {
            model.forward(batch, workspace);
        } catch (Throwable cause) {
            handleFault(step, cause);
            return;
        }
        results.begin();
        activity.begin(batch.tokens());
        step.forEach(this::conclude);
        StepReport report = report(step, Duration.ofNanos(nanoClock.getAsLong() - start));
        activity.stepFinished(report.duration().toNanos());
        measure(step, report.duration());
        observer.stepFinished(report);
    }

    /** Ends the only sequence of a step that failed; several run alone first, to find out which of them it is. */
    private void handleFault(List<Scheduled> step, Throwable cause) {
        // The states of the batch are half advanced, so they are computed anew.
        if (step.size() == 1) {
            Sequence guilty = step.getFirst().sequence();
            logFailure(guilty, cause);
            fail(guilty, cause);
        } else {
            log.error("A step of {} sequences failed; each of them runs alone now", step.size(), cause);
            scheduler.suspect(step.stream().map(Scheduled::sequence).toList());
            publish();
        }
    }

    private static void logFailure(Sequence sequence, Throwable cause) {
        log.atError().addKeyValue("answer_id", sequence.id()).setCause(cause).log("Request {} failed", sequence.id());
    }

    private void measure(List<Scheduled> step, Duration duration) {
        int decoding = 0;
        int prompts = 0;
        for (Scheduled scheduled : step) {
            decoding += scheduled.generates() ? 1 : 0;
            prompts += scheduled.generates() ? 0 : scheduled.chunk().tokens().length;
        }
        prefillBudget.measured(decoding, prompts, duration.toNanos() / 1e9);
    }

    private void receive() {
        List<Sequence> arrivals = inbox.drain();
        arrivals.forEach(scheduler::add);
        arrivals.forEach(dueEnds::arrived);
        arrivals.forEach(secondTier::arrived);
        arrivals.forEach(sequence -> observer.requestQueued(sequence.id(), sequence.promptTokens()));
    }

    private void endDue() {
        dueEnds.forEach(nanoClock.getAsLong(), this::finish);
    }

    private void admit() {
        startAdmitted();
        for (Sequence stuck = scheduler.stuck(); stuck != null; stuck = scheduler.stuck()) {
            failStarved(stuck);
            // Those behind it may need less.
            startAdmitted();
        }
        publish();
    }

    private void startAdmitted() {
        for (Sequence sequence : scheduler.admit()) {
            if (!sequence.timeline().started()) {
                sequence.countIn(activity.start(
                        sequence.id(), sequence.request().urgency().caller()));
                inbox.started(sequence);
                Duration waited = sequence.timeline().startedAt(nanoClock.getAsLong());
                observer.requestStarted(sequence.id(), waited, sequence.tokenCounts());
            } else {
                observer.requestResumed(sequence.id(), sequence.lostTokens());
            }
            tellInherited(sequence);
        }
    }

    /** Tells what another request was told of the same prompt. */
    private void tellInherited(Sequence sequence) {
        List<TokenScore> scores = sequence.takeInherited();
        if (scores.isEmpty()) {
            return;
        }
        try {
            int first = sequence.promptTokens() - scores.size();
            sequence.events().accept(new EngineEvent.PromptScores(first, scores));
        } catch (Throwable cause) {
            log.error("Request {} failed", sequence.id(), cause);
            fail(sequence, cause);
        }
    }

    private void failStarved(Sequence sequence) {
        fail(
                sequence,
                new IllegalStateException("the machine has too little memory for the keys and values of "
                        + sequence.totalTokens() + " tokens"));
    }

    /** Tells the sequence's owner what the step gave; a fault of either ends this sequence only. */
    private void conclude(Scheduled scheduled) {
        Sequence sequence = scheduled.sequence();
        sequence.advance(scheduled.chunk().tokens().length);
        if (sequence.pendingTokens() == 0) {
            sequence.suspected(false);
        }
        keeping.computed(sequence);
        try {
            EngineEvent.Token token = read(scheduled);
            if (token != null) {
                sequence.append(token.id());
                scheduler.generated(sequence);
                sequence.timeline().generatedAt(nanoClock.getAsLong(), sequence.id(), observer);
                sequence.events().accept(token);
            } else if (sequence.pendingTokens() > 0) {
                forks.computed(sequence);
                return;
            } else if (sequence.request().details().embedding()) {
                sequence.events().accept(new EngineEvent.Embedding(sequence.pooled()));
            }
        } catch (Throwable cause) {
            logFailure(sequence, cause);
            fail(sequence, cause);
            return;
        }
        FinishReason reason = sequence.finishReason();
        if (reason != null) {
            finish(sequence, reason);
        }
    }

    private EngineEvent.@Nullable Token read(Scheduled scheduled) {
        try {
            return results.read(scheduled);
        } finally {
            // Not before: a logit that is computed later counts as well.
            activity.computed(
                    scheduled.sequence().activity().orElseThrow(),
                    scheduled.chunk().tokens().length);
        }
    }

    private void finish(Sequence sequence, FinishReason reason) {
        keeping.ending(sequence);
        RequestReport report = remove(sequence);
        Activity done = done(sequence);
        try {
            observer.requestFinished(report, reason);
        } finally {
            Details told = sequence.request().details();
            emitEnd(
                    sequence,
                    new EngineEvent.Finished(
                            reason,
                            sequence.tokenCounts(),
                            told.activity() ? done : null,
                            told.timings() ? report : null));
        }
    }

    /** Shows what was done for a sequence that ends as it should, and returns it; null if it was never started. */
    private @Nullable Activity done(Sequence sequence) {
        SequenceActivity counts = sequence.activity().orElse(null);
        if (counts == null) {
            return null;
        }
        activity.finished(counts);
        Activity done = counts.activity();
        observer.requestComputed(done);
        return done;
    }

    private void fail(Sequence sequence, Throwable cause) {
        RequestReport report = remove(sequence);
        try {
            observer.requestFailed(report, cause);
        } finally {
            emitEnd(sequence, new EngineEvent.Failed(cause));
        }
    }

    private void failAll(Throwable cause) {
        for (Sequence sequence : scheduler.all()) {
            try {
                fail(sequence, cause);
            } catch (Throwable observerFault) {
                log.error("The observer failed on the end of request {}", sequence.id(), observerFault);
            }
        }
    }

    /** Frees all that the sequence holds, before anybody hears of its end: who hears of it may count on the place. */
    private RequestReport remove(Sequence sequence) {
        scheduler.remove(sequence);
        sequence.earlyEnd().happened();
        dueEnds.ended(sequence);
        RequestReport report = sequence.timeline().report(sequence.id(), sequence.tokenCounts(), nanoClock.getAsLong());
        if (sequence.timeline().started()) {
            completionRate.completed(report.prefill().plus(report.decode()).toNanos() / 1e9);
        }
        publish();
        inbox.ended(sequence);
        return report;
    }

    private static void emitEnd(Sequence sequence, EngineEvent end) {
        try {
            sequence.events().accept(end);
        } catch (Throwable fault) {
            log.error("The owner of request {} failed on its end", sequence.id(), fault);
        }
    }

    private static StepReport report(List<Scheduled> step, Duration duration) {
        int prefill = 0;
        int decode = 0;
        for (Scheduled scheduled : step) {
            int tokens = scheduled.chunk().tokens().length;
            int ofPrompt = Math.clamp(
                    (long) scheduled.sequence().promptTokens()
                            - scheduled.chunk().position(),
                    0,
                    tokens);
            prefill += ofPrompt;
            decode += tokens - ofPrompt;
        }
        return new StepReport(step.size(), prefill, decode, duration);
    }

    private void publish() {
        running = scheduler.running();
        activity.running(scheduler.runningSequences());
        freeSlots = pool.free();
        usedPages = pool.usedPages();
    }

    /** Returns how many sequences hold a state slot. Any thread. */
    int running() {
        return running;
    }

    /** Returns how many state slots nobody holds. Any thread. */
    int freeSlots() {
        return freeSlots;
    }

    /** Returns what the model does. */
    EngineActivity activity() {
        return activity;
    }

    /** Returns the way to end a sequence early. */
    DueEnds dueEnds() {
        return dueEnds;
    }

    /** Returns how many pages running sequences hold. Any thread. */
    int usedPages() {
        return usedPages;
    }

    /** Returns the way to what is kept outside of the engine. */
    SecondTier secondTier() {
        return secondTier;
    }

    /** Returns what the prefix cache does. Any thread. */
    CacheStatus cache() {
        return cache.counts().status();
    }

    /** Returns how long it will take until {@code waiting} requests have got a slot. Any thread. */
    Duration untilStarted(int waiting) {
        return completionRate.untilStarted(waiting);
    }

    /** Frees the sequences' memory, after the engine thread has ended. Idempotent. */
    @Override
    public synchronized void close() {
        pool.close();
    }
}
