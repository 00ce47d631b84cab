package org.setun.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;

/**
 * Writes a safetensors file of any size as a stream: all tensors are declared first, then their bytes follow in the same
 * order, in chunks, so that no tensor need be held whole.
 *
 * <p>The file carries a checksum of its data, which {@link Checkpoint#verifyChecksum} compares.
 *
 * <p>The bytes go to a temporary file beside the target, which {@link #finish} renames atomically; {@link #close} without
 * {@code finish} deletes it. Tensors lie without gaps in the order declared: declare wider element types first to keep
 * every tensor aligned for readers that care. Not for use by several threads.
 *
 * <pre>{@code
 * try (var writer = SafetensorsWriter.create(target, declarations, Map.of("format", "pt"))) {
 *     for (var tensor : declarations) {
 *         writer.write(tensor.name(), bytes);
 *     }
 *     writer.finish();
 * }
 * }</pre>
 */
public final class SafetensorsWriter implements AutoCloseable {

    private static final int BUFFER_BYTES = 1 << 20;

    private final Path target;
    private final Path partial;
    private final List<Declaration> tensors;
    private final FileChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final MemorySegment staging = MemorySegment.ofBuffer(buffer.duplicate());
    private final DataChecksum checksum = new DataChecksum();
    private final long checksumAt;

    /** Null unless the file can be resumed. */
    private final @Nullable WriterJournal journal;

    private DataChecksum tensorChecksum = new DataChecksum();
    private int current;
    private long writtenOfCurrent;
    private boolean finished;

    /**
     * A tensor to come.
     *
     * @param name its name, unlike all others
     * @param type how an element is stored, no block type
     * @param shape its shape, slowest-varying first
     */
    public record Declaration(String name, ElementType type, Shape shape) {

        public Declaration {
            if (type.isBlock()) {
                throw new IllegalArgumentException("tensor " + name + ": safetensors has no " + type);
            }
        }

        /** Returns the size of the tensor's data. */
        public long bytes() {
            return Math.multiplyExact(shape.elements(), type.bytes());
        }
    }

    private SafetensorsWriter(
            Path target, Path partial, List<Declaration> tensors, byte[] header, @Nullable WriterJournal journal)
            throws IOException {
        this.target = target;
        this.partial = partial;
        this.tensors = tensors;
        this.checksumAt = checksumAt(header);
        this.journal = journal;
        this.channel = FileChannel.open(
                partial,
                journal == null ? StandardOpenOption.CREATE_NEW : StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE);
    }

    /**
     * Starts a file that will be {@code target}, replacing what is there.
     *
     * @throws IllegalArgumentException if two tensors have one name or the header grows beyond what readers accept
     * @throws IOException if the file cannot be created
     */
    public static SafetensorsWriter create(Path target, List<Declaration> tensors, Map<String, String> metadata)
            throws IOException {
        List<Declaration> declared = List.copyOf(tensors);
        byte[] header = header(declared, metadata);
        String suffix = "." + Long.toHexString(ThreadLocalRandom.current().nextLong()) + ".partial";
        Path partial = target.resolveSibling(target.getFileName() + suffix);
        SafetensorsWriter writer = new SafetensorsWriter(target, partial, declared, header, null);
        try {
            writer.append(MemorySegment.ofArray(header));
            return writer;
        } catch (IOException | RuntimeException e) {
            writer.close();
            throw e;
        }
    }

    /**
     * Starts a file as {@link #create} does, or goes on where an earlier writer of the same content ended before it was
     * finished, however that came about. Without {@link #finish}, {@link #close} leaves what there is for the next one: {@code
     * *.partial} and {@code *.journal} beside the target.
     *
     * @param identity one line that names the content: where it comes from, in which version, and how it is stored
     * @throws FileSystemException if another process is writing this file
     */
    public static SafetensorsWriter resume(
            Path target, List<Declaration> tensors, Map<String, String> metadata, String identity) throws IOException {
        List<Declaration> declared = List.copyOf(tensors);
        byte[] header = header(declared, metadata);
        WriterJournal journal = WriterJournal.open(target.resolveSibling(target.getFileName() + ".journal"), identity);
        try {
            Path partial = target.resolveSibling(target.getFileName() + ".partial");
            SafetensorsWriter writer = new SafetensorsWriter(target, partial, declared, header, journal);
            try {
                writer.takeUp(header, journal);
                return writer;
            } catch (IOException | RuntimeException e) {
                writer.close();
                throw e;
            }
        } catch (IOException | RuntimeException e) {
            journal.close();
            throw e;
        }
    }

    /** Returns the file's bytes up to its data. */
    private static byte[] header(List<Declaration> tensors, Map<String, String> metadata) {
        requireDistinctNames(tensors);
        Map<String, String> completed = new HashMap<>(metadata);
        completed.put(DataChecksum.KEY, DataChecksum.PLACEHOLDER);
        byte[] json = SafetensorsHeader.encode(tensors, completed);
        return ByteBuffer.allocate(SafetensorsHeader.LENGTH_BYTES + json.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(json.length)
                .put(json)
                .array();
    }

    /** Keeps the tensors that lie in the file as the journal says, and begins after them. */
    private void takeUp(byte[] header, WriterJournal known) throws IOException {
        long kept = 0;
        int checksums = 0;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            if (file.byteSize() >= header.length
                    && file.asSlice(0, header.length).mismatch(MemorySegment.ofArray(header)) < 0) {
                kept = header.length;
                for (; current < tensors.size(); current++) {
                    long bytes = tensors.get(current).bytes();
                    if (bytes > 0) {
                        if (checksums == known.completed().size() || bytes > file.byteSize() - kept) {
                            break;
                        }
                        DataChecksum found = new DataChecksum();
                        found.update(file.asSlice(kept, bytes));
                        if (!found.digits().equals(known.completed().get(checksums))) {
                            break;
                        }
                        checksum.update(file.asSlice(kept, bytes));
                        kept += bytes;
                        checksums++;
                    }
                }
            }
        }
        known.keep(checksums);
        channel.truncate(kept);
        channel.position(kept);
        if (kept == 0) {
            append(MemorySegment.ofArray(header));
        }
    }

    /** Returns how many of the tensors, from the first on, are complete already. */
    public int completeTensors() {
        skipComplete();
        return current;
    }

    /** Returns the byte of the header at which the checksum's digits begin; the metadata come first in it. */
    private static long checksumAt(byte[] header) {
        String entry = '"' + DataChecksum.KEY + "\":\"";
        String text = new String(header, StandardCharsets.ISO_8859_1);
        return text.indexOf(entry) + (long) entry.length();
    }

    /**
     * Writes the next bytes of the tensor {@code name}, which must be the first one declared that is not yet complete.
     *
     * @throws IllegalStateException if it is another tensor's turn or the bytes exceed what was declared
     */
    public void write(String name, MemorySegment chunk) throws IOException {
        if (chunk.byteSize() == 0) {
            return;
        }
        Declaration tensor = nextTensor();
        if (!tensor.name().equals(name)) {
            throw new IllegalStateException("expected bytes of tensor " + tensor.name() + ", found those of " + name);
        }
        if (chunk.byteSize() > tensor.bytes() - writtenOfCurrent) {
            throw new IllegalStateException("tensor " + name + ": expected " + tensor.bytes() + " bytes, found "
                    + (writtenOfCurrent + chunk.byteSize()));
        }
        append(chunk);
        checksum.update(chunk);
        writtenOfCurrent += chunk.byteSize();
        if (journal != null) {
            tensorChecksum.update(chunk);
            if (writtenOfCurrent == tensor.bytes()) {
                drain();
                journal.append(tensorChecksum.digits());
                tensorChecksum = new DataChecksum();
            }
        }
    }

    /**
     * Writes the next bytes of the tensor {@code name}, as {@link #write(String, MemorySegment)} does.
     *
     * @param chunk bytes as they will lie in the file
     */
    public void write(String name, byte[] chunk) throws IOException {
        write(name, MemorySegment.ofArray(chunk));
    }

    /**
     * Writes the next values of the F32 tensor {@code name}, as {@link #write(String, MemorySegment)} does.
     *
     * @throws IllegalStateException also if the tensor was not declared as F32
     */
    public void write(String name, float[] values) throws IOException {
        if (nextTensor().type() != ElementType.F32) {
            throw new IllegalStateException(
                    "tensor " + name + ": declared as " + nextTensor().type() + ", found F32 values");
        }
        ByteBuffer bytes = ByteBuffer.allocate(Math.multiplyExact(values.length, Float.BYTES))
                .order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        write(name, MemorySegment.ofBuffer(bytes));
    }

    /**
     * Completes the file: forces it to the disk and gives it its name.
     *
     * @throws IllegalStateException if a tensor is incomplete
     */
    public void finish() throws IOException {
        skipComplete();
        if (current < tensors.size()) {
            Declaration tensor = tensors.get(current);
            throw new IllegalStateException(
                    "tensor " + tensor.name() + ": expected " + tensor.bytes() + " bytes, found " + writtenOfCurrent);
        }
        drain();
        channel.write(ByteBuffer.wrap(checksum.digits().getBytes(StandardCharsets.US_ASCII)), checksumAt);
        channel.force(true);
        channel.close();
        Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
        finished = true;
        if (journal != null) {
            journal.delete();
        }
    }

    /**
     * Closes the file. Unless {@link #finish} has completed it, it is deleted, or left as it is for {@link #resume}. Closing
     * twice does nothing.
     */
    @Override
    public void close() throws IOException {
        channel.close();
        if (journal != null) {
            journal.close();
        } else if (!finished) {
            Files.deleteIfExists(partial);
        }
    }

    private Declaration nextTensor() {
        skipComplete();
        if (current == tensors.size()) {
            throw new IllegalStateException("all " + tensors.size() + " declared tensors are complete");
        }
        return tensors.get(current);
    }

    private void skipComplete() {
        while (current < tensors.size()
                && writtenOfCurrent == tensors.get(current).bytes()) {
            current++;
            writtenOfCurrent = 0;
        }
    }

    private void append(MemorySegment bytes) throws IOException {
        long done = 0;
        while (done < bytes.byteSize()) {
            if (!buffer.hasRemaining()) {
                drain();
            }
            int count = (int) Math.min(buffer.remaining(), bytes.byteSize() - done);
            MemorySegment.copy(
                    bytes, ValueLayout.JAVA_BYTE, done, staging, ValueLayout.JAVA_BYTE, buffer.position(), count);
            buffer.position(buffer.position() + count);
            done += count;
        }
    }

    private void drain() throws IOException {
        buffer.flip();
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
        buffer.clear();
    }

    private static void requireDistinctNames(List<Declaration> tensors) {
        Set<String> names = new HashSet<>();
        for (Declaration tensor : tensors) {
            if (!names.add(tensor.name()) || tensor.name().equals(SafetensorsHeader.METADATA)) {
                throw new IllegalArgumentException("tensor name " + tensor.name() + " is taken");
            }
        }
    }
}
