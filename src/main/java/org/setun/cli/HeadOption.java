package org.setun.cli;

import org.setun.architecture.HeadMode;
import picocli.CommandLine.Option;

/** The option of the commands that choose tokens; others need all logits. */
final class HeadOption {

    @Option(
            names = "--head",
            paramLabel = "MODE",
            defaultValue = "AUTO",
            description =
                    "How the likeliest tokens are found: ${COMPLETION-CANDIDATES}; all choose the same. Default: auto.")
    private HeadMode mode = HeadMode.AUTO;

    /** Returns how logits are computed where only the largest matter. */
    HeadMode mode() {
        return mode;
    }
}
