package org.setun.cli.chat;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.setun.engine.FinishReason;
import org.setun.generation.GenerationRequest;
import org.setun.generation.Prompt;
import org.setun.sampling.SamplingParameters;
import org.setun.tokenizer.ChatMessage;

@Timeout(60)
final class AnswerTest {

    /** A user who interrupts at once. */
    private static final class Impatient implements ChatConsole {

        private final AtomicInteger open = new AtomicInteger();

        @Override
        public @Nullable String readTurn() {
            return null;
        }

        @Override
        public Interruption onInterrupt(Runnable action) {
            open.incrementAndGet();
            action.run();
            return open::decrementAndGet;
        }

        @Override
        public void answer(String text) {}

        @Override
        public boolean endAnswer() {
            return true;
        }

        @Override
        public void tell(String sentence) {}

        @Override
        public void close() {}
    }

    @Test
    void anInterruptBeforeTheRequestHasStartedEndsIt() throws Exception {
        Impatient console = new Impatient();
        GenerationRequest request = new GenerationRequest(
                "a",
                new Prompt.Chat(List.of(new ChatMessage("user", "talk"))),
                OptionalInt.of(5),
                SamplingParameters.GREEDY,
                List.of());
        Answer answer = Answer.show(new ScriptedGenerator().speaksOn("endless"), request, console);
        assertThat(answer.reason()).isEqualTo(FinishReason.CANCELLED);
        assertThat(answer.text()).isEqualTo("endless");
        assertThat(console.open).hasValue(0);
    }
}
