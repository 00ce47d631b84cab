package org.setun.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.setun.architecture.HeadMode;
import org.setun.architecture.LoadedModel;
import org.setun.checkpoint.SafetensorsWriter;
import org.setun.model.Batch;
import org.setun.model.Chunk;
import org.setun.model.Model;
import org.setun.model.SequenceState;
import org.setun.model.Workspace;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.json.JsonMapper;

/** Prints the logits of a token sequence. */
@Command(
        name = "logits",
        description = {
            "Computes the logits of every position of a token sequence.",
            "Standard output is one JSON object: {\"tokens\":[...],\"logits\":[[...],...]}."
        })
final class LogitsCommand implements Callable<Integer> {

    /** Tokens of one forward pass: bounds the memory for logits, whatever the sequence's length. */
    private static final int CHUNK = 64;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it
    private CommandSpec spec;

    @Mixin
    private ModelOptions options = new ModelOptions();

    @Option(names = "--tokens", split = ",", required = true, paramLabel = "ID", description = "The token ids.")
    private int[] tokens = {};

    @Option(
            names = "--output",
            paramLabel = "FILE.safetensors",
            description = "Write the tensors tokens, I64 [T], and logits, F32 [T, vocabulary], to a file instead.")
    private @Nullable Path output;

    /** Takes the logits of one position after the other. */
    private interface Sink {
        void row(float[] logits, int offset, int length) throws IOException;
    }

    @Override
    public Integer call() throws Exception {
        try (ModelSource source = options.source()) {
            LoadedModel loaded = options.load(source, HeadMode.EXACT);
            try (Model model = loaded.model()) {
                int vocabSize = model.dimensions().vocabSize();
                for (int token : tokens) {
                    if (token < 0 || token >= vocabSize) {
                        throw new ParameterException(
                                spec.commandLine(),
                                "--tokens: expected ids from 0 to " + (vocabSize - 1) + ", found " + token);
                    }
                }
                if (output != null) {
                    writeTensors(model, output);
                } else {
                    writeJson(model);
                }
            }
        }
        return 0;
    }

    private void writeJson(Model model) throws IOException {
        // Standard output is left open, and as bytes: JSON is UTF-8 whatever the terminal's encoding.
        try (JsonGenerator json = JsonMapper.builder()
                .build()
                .createGenerator(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out)))) {
            json.writeStartObject();
            json.writeName("tokens");
            json.writeArray(tokens, 0, tokens.length);
            json.writeName("logits");
            json.writeStartArray();
            forward(model, (logits, offset, length) -> {
                json.writeStartArray();
                for (int i = offset; i < offset + length; i++) {
                    json.writeNumber(logits[i]);
                }
                json.writeEndArray();
            });
            json.writeEndArray();
            json.writeEndObject();
        }
    }

    private void writeTensors(Model model, Path file) throws IOException {
        int vocabSize = model.dimensions().vocabSize();
        List<SafetensorsWriter.Declaration> declarations = List.of(
                new SafetensorsWriter.Declaration("tokens", ElementType.I64, Shape.of(tokens.length)),
                new SafetensorsWriter.Declaration("logits", ElementType.F32, Shape.of(tokens.length, vocabSize)));
        ValueLayout.OfLong littleEndian = ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
        try (Arena arena = Arena.ofConfined();
                SafetensorsWriter writer = SafetensorsWriter.create(file, declarations, Map.of())) {
            MemorySegment ids = arena.allocate(littleEndian, tokens.length);
            for (int i = 0; i < tokens.length; i++) {
                ids.setAtIndex(littleEndian, i, tokens[i]);
            }
            writer.write("tokens", ids);
            forward(
                    model,
                    (logits, offset, length) ->
                            writer.write("logits", Arrays.copyOfRange(logits, offset, offset + length)));
            writer.finish();
        }
    }

    private void forward(Model model, Sink sink) throws IOException {
        Workspace workspace = model.newWorkspace(CHUNK, CHUNK);
        try (Arena arena = Arena.ofShared()) {
            SequenceState state = SequenceState.allocate(model.stateLayout(), tokens.length, arena);
            for (int start = 0; start < tokens.length; start += CHUNK) {
                int[] part = Arrays.copyOfRange(tokens, start, Math.min(start + CHUNK, tokens.length));
                Chunk chunk = new Chunk(state, start, part, Chunk.Wanted.ALL, options.activationSparsity());
                model.forward(Batch.of(chunk), workspace);
                for (int row = 0; row < part.length; row++) {
                    sink.row(
                            workspace.logits(),
                            workspace.logitsOffset(row),
                            model.dimensions().vocabSize());
                }
            }
        }
    }
}
