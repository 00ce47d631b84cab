package org.setun.architecture;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.setun.checkpoint.Checkpoint;
import org.setun.checkpoint.CheckpointFormatException;
import org.setun.checkpoint.SafetensorsWriter;
import org.setun.checkpoint.SafetensorsWriter.Declaration;
import org.setun.checkpoint.StoredTensor;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** A checkpoint read into memory, to be changed and written elsewhere. */
final class TestCheckpoint {

    /** A tensor with its bytes. */
    record Tensor(ElementType type, Shape shape, byte[] bytes) {}

    final ObjectNode config;
    final Map<String, Tensor> tensors = new LinkedHashMap<>();

    private TestCheckpoint(ObjectNode config) {
        this.config = config;
    }

    static TestCheckpoint read(Path directory) throws CheckpointFormatException, IOException {
        ObjectNode config = (ObjectNode) JsonMapper.shared().readTree(directory.resolve("config.json"));
        TestCheckpoint checkpoint = new TestCheckpoint(config);
        try (Checkpoint stored = Checkpoint.open(directory)) {
            for (StoredTensor tensor : stored.tensors()) {
                byte[] bytes = tensor.bytes().toArray(ValueLayout.JAVA_BYTE);
                checkpoint.tensors.put(tensor.name(), new Tensor(tensor.type(), tensor.shape(), bytes));
            }
        }
        return checkpoint;
    }

    /** Returns a tensor, which must be there. */
    Tensor tensor(String name) {
        Tensor tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalStateException("no tensor " + name);
        }
        return tensor;
    }

    /** Replaces a tensor by zeros of another type or shape, or adds one. */
    void put(String name, ElementType type, long... extents) {
        Shape shape = Shape.of(extents);
        tensors.put(name, new Tensor(type, shape, new byte[(int) shape.elements() * type.bytes()]));
    }

    Path write(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(directory.resolve("config.json"), config.toString());
        List<Declaration> declarations = new ArrayList<>();
        tensors.forEach((name, tensor) -> declarations.add(new Declaration(name, tensor.type(), tensor.shape())));
        Path file = directory.resolve("model.safetensors");
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, declarations, Map.of())) {
            for (Map.Entry<String, Tensor> tensor : tensors.entrySet()) {
                writer.write(tensor.getKey(), tensor.getValue().bytes());
            }
            writer.finish();
        }
        return directory;
    }
}
