package org.setun.cli;

import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.setun.architecture.CheckpointConverter;
import org.setun.architecture.ConvertOptions;
import org.setun.checkpoint.TernaryPacking;
import org.setun.tensor.ElementType;
import org.setun.tokenizer.TokenizerFiles;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Rewrites a checkpoint as a packed one. */
@Command(name = "convert", description = "Rewrites a checkpoint of any supported family as a packed Setun checkpoint.")
final class ConvertCommand implements Callable<Integer> {

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Parameters(index = "0", paramLabel = "SOURCE", description = "The checkpoint directory or file to read.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path source;

    @Parameters(index = "1", paramLabel = "TARGET", description = "The directory to make; it must not exist.")
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private Path target;

    @Option(
            names = "--packing",
            defaultValue = "u2_rows",
            description = "How trits are stored: ${COMPLETION-CANDIDATES} (2, 2 and 1.6 bits); default: u2_rows.")
    private TernaryPacking packing = TernaryPacking.U2_ROWS;

    @Option(
            names = "--float-type",
            paramLabel = "TYPE",
            description = "How the other weights are stored: f32, bf16 or f16; default: such that none is rounded.")
    private @Nullable ElementType floatType;

    @Override
    public Integer call() throws Exception {
        if (floatType != null && !floatType.isFloatWeight()) {
            throw new picocli.CommandLine.ParameterException(
                    spec.commandLine(),
                    "--float-type: expected f32, bf16 or f16, found "
                            + floatType.name().toLowerCase(Locale.ROOT));
        }
        ConvertOptions options = new ConvertOptions(packing, Optional.ofNullable(floatType));
        try (ConsoleProgress progress = new ConsoleProgress("converting")) {
            Map<String, byte[]> tokenizer = TokenizerSource.embeddedFiles(source)
                    .map(TokenizerFiles::byName)
                    .orElse(Map.of());
            CheckpointConverter.convert(source, target, options, tokenizer, progress);
        } catch (FileAlreadyExistsException e) {
            spec.commandLine().getErr().println("setun: " + e.getFile() + " exists already; choose another target");
            return 1;
        }
        spec.commandLine().getErr().println("wrote " + target);
        return 0;
    }
}
