package org.setun.cli;

import org.setun.kernel.KernelSelection;
import org.setun.kernel.Kernels;
import org.setun.kernel.WorkerPool;
import org.setun.model.KeyValueFormat;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The options of every command that runs a model that say by which arithmetic. */
final class KernelOptions {

    @Option(
            names = "--kernel",
            paramLabel = "NAME",
            defaultValue = "auto",
            description =
                    "The arithmetic: auto, scalar, vector-128, vector-256, vector-512, lookup-512, or with products in C"
                            + " native-vbmi512, native-vnni512, native-avx2 or native-neon; default: auto.")
    private String kernel = "auto";

    @Option(
            names = "--key-value-format",
            paramLabel = "FORMAT",
            defaultValue = "F32",
            description = "How attention keeps keys and values: ${COMPLETION-CANDIDATES}; default: f32.")
    private KeyValueFormat keyValueFormat = KeyValueFormat.F32;

    /** Returns how keys and values are kept. */
    KeyValueFormat keyValueFormat() {
        return keyValueFormat;
    }

    /**
     * Selects the kernels.
     *
     * @param spec the command that has these options
     * @param workers become the kernels'; if this throws, they are closed
     */
    Kernels select(CommandSpec spec, WorkerPool workers) {
        try {
            return KernelSelection.select(kernel, workers);
        } catch (IllegalArgumentException e) {
            workers.close();
            throw new ParameterException(spec.commandLine(), "--kernel: " + e.getMessage(), e);
        }
    }
}
