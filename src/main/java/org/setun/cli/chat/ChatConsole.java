package org.setun.cli.chat;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Where a conversation is held. For one thread, but for what an interrupt runs. */
public interface ChatConsole extends AutoCloseable {

    /** The time in which an interrupt is for the answer. */
    interface Interruption {

        /** Gives interrupts their usual meaning again. */
        void end();
    }

    /**
     * Waits for the user's next turn.
     *
     * @return what was typed, its lines separated by {@code \n}, as {@link TurnText} reads it; null if the user ends the
     *     conversation
     */
    @Nullable
    String readTurn() throws IOException;

    /**
     * Has {@code action} run when the user interrupts, on any thread, instead of what an interrupt does otherwise, until
     * the caller ends that.
     */
    Interruption onInterrupt(Runnable action);

    /** Shows more of an answer at once. */
    void answer(String text);

    /**
     * Ends an answer's last line.
     *
     * @return false if nobody reads any more
     */
    boolean endAnswer();

    /** Tells something beside the conversation. */
    void tell(String sentence);

    @Override
    void close() throws IOException;
}
