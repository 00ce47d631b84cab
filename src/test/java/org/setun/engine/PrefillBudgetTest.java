package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class PrefillBudgetTest {

    @Test
    void aPromptAloneGetsAllThereIs() {
        PrefillBudget budget = new PrefillBudget(2, 8);
        budget.measured(3, 0, 0.01);
        budget.measured(0, 100, 10);
        assertThat(budget.tokens(0, 128)).isEqualTo(128);
    }

    @Test
    void littleIsReadBesideOthersBeforeAnythingIsKnown() {
        PrefillBudget budget = new PrefillBudget(2, 8);
        assertThat(budget.tokens(3, 128)).isEqualTo(16);
        assertThat(budget.tokens(3, 5)).isEqualTo(5);
        budget.measured(3, 0, 0.01);
        assertThat(budget.tokens(3, 128)).isEqualTo(16);
    }

    @Test
    void aStepTakesAsManyTimesAsLongAsAllowed() {
        // A step takes 10 ms, 1 ms more for each sequence beside the first, and 2 ms for each token of a prompt.
        PrefillBudget budget = new PrefillBudget(3, 8);
        for (int round = 0; round < 60; round++) {
            for (int decoding = 1; decoding <= 8; decoding++) {
                budget.measured(decoding, 0, 0.009 + 0.001 * decoding);
                int tokens = budget.tokens(decoding, 128);
                budget.measured(decoding, tokens, 0.009 + 0.001 * decoding + 0.002 * tokens);
            }
        }
        assertThat(budget.tokens(1, 128)).isBetween(9, 11);
        assertThat(budget.tokens(8, 128)).isBetween(16, 18);
        assertThat(budget.tokens(8, 12)).isEqualTo(12);
    }

    @Test
    void theNearestNumberOfSequencesStandsForOneThatWasNotMeasured() {
        PrefillBudget budget = new PrefillBudget(2, 8);
        budget.measured(2, 0, 0.01);
        budget.measured(7, 0, 0.04);
        budget.measured(0, 100, 0.1);
        assertThat(budget.tokens(1, 128)).isEqualTo(10);
        assertThat(budget.tokens(8, 128)).isEqualTo(40);
    }

    @Test
    void aPromptAdvancesHoweverDear() {
        PrefillBudget budget = new PrefillBudget(1.01, 8);
        budget.measured(1, 0, 0.001);
        budget.measured(1, 10, 100);
        assertThat(budget.tokens(1, 128)).isEqualTo(1);
    }

    @Test
    void aPauseOfTheMachineIsSoonForgotten() {
        PrefillBudget budget = new PrefillBudget(2, 8);
        budget.measured(1, 0, 0.01);
        budget.measured(1, 10, 0.02);
        assertThat(budget.tokens(1, 128)).isEqualTo(10);
        budget.measured(1, 10, 5);
        budget.measured(1, 0, 5);
        assertThat(budget.tokens(1, 128)).isBetween(8, 12);
        for (int step = 0; step < 30; step++) {
            budget.measured(1, 0, 0.01);
            int tokens = budget.tokens(1, 128);
            budget.measured(1, tokens, 0.01 + 0.001 * tokens);
        }
        assertThat(budget.tokens(1, 128)).isBetween(9, 10);
    }

    @Test
    void aPromptThatWasDearOnceIsReadFasterAgain() {
        PrefillBudget budget = new PrefillBudget(2, 8);
        budget.measured(1, 0, 0.01);
        budget.measured(1, 10, 1);
        assertThat(budget.tokens(1, 128)).isEqualTo(1);
        for (int step = 0; step < 60; step++) {
            int tokens = budget.tokens(1, 128);
            budget.measured(1, tokens, 0.01 + 0.001 * tokens);
        }
        assertThat(budget.tokens(1, 128)).isBetween(9, 10);
    }

    @Test
    void whatCostsNothingIsReadAtOnce() {
        PrefillBudget budget = new PrefillBudget(2, 8);
        budget.measured(1, 0, 0.01);
        budget.measured(1, 16, 0.005);
        assertThat(budget.tokens(1, 128)).isEqualTo(128);
    }
}
