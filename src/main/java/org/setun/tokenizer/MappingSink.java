package org.setun.tokenizer;

/** Changes each piece by itself and holds nothing back. */
final class MappingSink implements PieceSink {

    /** Changes one piece. */
    interface Mapping {
        String apply(String piece, boolean first);
    }

    private final Mapping mapping;
    private final PieceSink next;
    private boolean first = true;

    MappingSink(Mapping mapping, PieceSink next) {
        this.mapping = mapping;
        this.next = next;
    }

    @Override
    public void piece(String piece) {
        next.piece(mapping.apply(piece, first));
        first = false;
    }

    @Override
    public void end() {
        next.end();
    }
}
