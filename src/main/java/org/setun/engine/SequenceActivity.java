package org.setun.engine;

import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.setun.model.PassCounts;
import org.setun.model.Retrieval;
import org.setun.model.Workspace;

/** What the model has done for one sequence. The engine thread adds; any thread may read. */
final class SequenceActivity {

    private final String id;
    private final String caller;
    private final PassCounts counts;
    private final List<Experts> experts;
    private final AtomicLong tokens = new AtomicLong();

    /** The experts of one layer that the sequence has used. */
    private static final class Experts {
        private final int layer;
        private final int count;
        private final BitSet used = new BitSet();
        private final AtomicLong lookups = new AtomicLong();
        private final AtomicLong distinct = new AtomicLong();

        private Experts(Retrieval retrieval) {
            layer = retrieval.layer();
            count = retrieval.numExperts();
        }

        private void add(Retrieval retrieval, int fromToken, int toToken) {
            long news = 0;
            for (int token = fromToken; token < toToken; token++) {
                for (int head = 0; head < retrieval.numHeads(); head++) {
                    for (int rank = 0; rank < retrieval.topK(); rank++) {
                        int expert = retrieval.expert(token, head, rank);
                        if (!used.get(expert)) {
                            used.set(expert);
                            news++;
                        }
                    }
                }
            }
            long more = (long) (toToken - fromToken) * retrieval.numHeads() * retrieval.topK();
            lookups.setOpaque(lookups.getPlain() + more);
            distinct.setOpaque(distinct.getPlain() + news);
        }
    }

    /** Starts from nothing, for a model whose passes {@code workspace} holds. */
    SequenceActivity(String id, String caller, Workspace workspace) {
        this.id = id;
        this.caller = caller;
        counts = new PassCounts(workspace.counts().places());
        experts = workspace.retrievals().stream().map(Experts::new).toList();
    }

    /** Adds what the last pass did for a chunk of the sequence, whose tokens are {@code [fromToken, toToken)} of the batch. */
    void add(Workspace workspace, int chunk, int fromToken, int toToken) {
        workspace.addChunkCounts(counts, chunk);
        List<Retrieval> retrievals = workspace.retrievals();
        for (int i = 0; i < retrievals.size(); i++) {
            experts.get(i).add(retrievals.get(i), fromToken, toToken);
        }
        tokens.setOpaque(tokens.getPlain() + toToken - fromToken);
    }

    /** Returns what has been counted so far, with the request's name. Any thread. */
    RequestActivity ofRequest() {
        return new RequestActivity(id, caller, activity());
    }

    /** Returns who asked. */
    String caller() {
        return caller;
    }

    /** Returns what has been counted so far. Any thread. */
    Activity activity() {
        return new Activity(
                tokens.getOpaque(),
                IntStream.range(0, counts.places().size())
                        .mapToObj(place -> SiteCounts.of(counts, place))
                        .toList(),
                experts.stream()
                        .map(each -> new Activity.LayerExperts(
                                each.layer, each.count, each.lookups.getOpaque(), each.distinct.getOpaque()))
                        .toList());
    }
}
