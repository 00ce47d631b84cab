package org.setun.architecture;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.setun.checkpoint.StoredTensor;
import org.setun.kernel.WorkerPool;

/**
 * Names what a model computes: SHA-256 (FIPS 180-4) over the specification that it is built by and, in the order of the file, each
 * tensor's name, type, shape and bytes. Models of the same name compute the same states.
 */
final class CheckpointDigest {

    private static final long PART_BYTES = 1 << 24;

    private CheckpointDigest() {}

    /** Reads through all tensors, each on one of the workers, and returns 64 hexadecimal digits. */
    static String of(ModelSpec spec, List<StoredTensor> tensors, WorkerPool workers) {
        byte[][] parts = new byte[tensors.size()][];
        workers.forRange(parts.length, 1, (from, to) -> {
            for (int i = from; i < to; i++) {
                parts[i] = digest(tensors.get(i));
            }
        });
        MessageDigest digest = sha256();
        addText(digest, spec.toString());
        for (byte[] part : parts) {
            digest.update(part);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static byte[] digest(StoredTensor tensor) {
        MessageDigest digest = sha256();
        addText(digest, tensor.name());
        addText(digest, tensor.type() + " " + tensor.shape());
        MemorySegment bytes = tensor.bytes();
        for (long at = 0; at < bytes.byteSize(); at += PART_BYTES) {
            digest.update(bytes.asSlice(at, Math.min(PART_BYTES, bytes.byteSize() - at))
                    .asByteBuffer());
        }
        return digest.digest();
    }

    /** Adds a text with its length, so that what belongs to one cannot pass for the next. */
    private static void addText(MessageDigest digest, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, bytes.length));
        digest.update(bytes);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
