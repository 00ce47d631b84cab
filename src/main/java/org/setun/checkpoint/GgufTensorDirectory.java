package org.setun.checkpoint;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.setun.tensor.ElementType;
import org.setun.tensor.Shape;

/**
 * The part of a GGUF file that says what tensors there are and where their data lie. Data may have gaps between them but
 * must not overlap.
 */
final class GgufTensorDirectory {

    /** Bytes of an entry without name and dimensions. */
    static final int SMALLEST_ENTRY = Long.BYTES + Integer.BYTES + Integer.BYTES + Long.BYTES;

    private static final int MAX_RANK = 4;

    private final String location;
    private final MemorySegment data;
    private final long dataOffset;
    private final int alignment;

    private GgufTensorDirectory(String location, MemorySegment data, long dataOffset, int alignment) {
        this.location = location;
        this.data = data;
        this.dataOffset = dataOffset;
        this.alignment = alignment;
    }

    /** An entry as it stands in the file. */
    private record Entry(String where, String name, Shape shape, int typeId, long offset) {}

    /**
     * Reads {@code count} entries and returns the tensors in the order of their data, which begin at the first multiple
     * of {@code alignment} after the last entry.
     */
    static List<StoredTensor> read(GgufCursor cursor, int count, int alignment) throws CheckpointFormatException {
        List<Entry> entries = new ArrayList<>(count);
        Set<String> names = new HashSet<>();
        for (int i = 0; i < count; i++) {
            cursor.at("name of tensor " + i);
            String name = cursor.string(GgufFile.LONGEST_NAME);
            cursor.at("tensor " + CheckpointFormatException.printable(name));
            if (!names.add(name)) {
                throw CheckpointFormatException.invalid(
                        cursor.where(), "the name stands there twice", StrictJson.DOWNLOAD_AGAIN);
            }
            Shape shape = readShape(cursor);
            entries.add(new Entry(cursor.where(), name, shape, cursor.u32(), cursor.u64()));
        }
        long begin = alignUp(cursor.position(), alignment);
        // A file without tensors may end where its metadata end.
        MemorySegment file = cursor.file();
        long dataOffset = Math.min(begin, file.byteSize());
        MemorySegment data = file.asSlice(dataOffset);
        return new GgufTensorDirectory(cursor.location(), data, dataOffset, alignment).place(entries);
    }

    private static Shape readShape(GgufCursor cursor) throws CheckpointFormatException {
        int rank = cursor.u32();
        if (rank < 0 || rank > MAX_RANK) {
            throw CheckpointFormatException.mismatch(
                    cursor.where(),
                    "at most " + MAX_RANK + " dimensions",
                    Integer.toUnsignedString(rank),
                    StrictJson.DOWNLOAD_AGAIN);
        }
        List<Long> fastestFirst = new ArrayList<>(rank);
        for (int i = 0; i < rank; i++) {
            long extent = cursor.u64();
            if (extent < 0) {
                throw CheckpointFormatException.mismatch(
                        cursor.where(), "extents below 2^63", Long.toUnsignedString(extent), StrictJson.DOWNLOAD_AGAIN);
            }
            fastestFirst.add(extent);
        }
        Collections.reverse(fastestFirst);
        return new Shape(fastestFirst);
    }

    private static long alignUp(long position, long alignment) {
        return Math.ceilDiv(position, alignment) * alignment;
    }

    private List<StoredTensor> place(List<Entry> entries) throws CheckpointFormatException {
        for (Entry entry : entries) {
            if (entry.offset() < 0 || entry.offset() > data.byteSize() || entry.offset() % alignment != 0) {
                throw CheckpointFormatException.mismatch(
                        entry.where() + ": offset",
                        "a multiple of " + alignment + " up to " + data.byteSize(),
                        Long.toUnsignedString(entry.offset()),
                        "the file is truncated or damaged, download it again");
            }
        }
        entries.sort(Comparator.comparingLong(Entry::offset));
        List<StoredTensor> tensors = new ArrayList<>(entries.size());
        long covered = 0;
        for (int i = 0; i < entries.size(); i++) {
            Entry entry = entries.get(i);
            long next = i + 1 < entries.size() ? entries.get(i + 1).offset() : data.byteSize();
            ElementType type = elementType(entry, next - entry.offset());
            long bytes = storedBytes(entry, type);
            if (bytes > data.byteSize() - entry.offset()) {
                throw CheckpointFormatException.mismatch(
                        entry.where(),
                        bytes + " bytes for " + entry.shape() + " " + type,
                        (data.byteSize() - entry.offset()) + " up to the end of the file",
                        "the file is truncated, download it again");
            }
            if (bytes > 0 && entry.offset() < covered) {
                throw CheckpointFormatException.invalid(
                        entry.where(),
                        "its data overlap those of tensor "
                                + CheckpointFormatException.printable(
                                        tensors.getLast().name()),
                        StrictJson.DOWNLOAD_AGAIN);
            }
            covered = Math.max(covered, entry.offset() + bytes);
            MemorySegment slice = data.asSlice(entry.offset(), bytes);
            tensors.add(
                    new StoredTensor(location, entry.name(), type, entry.shape(), slice, dataOffset + entry.offset()));
        }
        return tensors;
    }

    /** Returns the type of {@code entry}, whose data end at most {@code room} bytes after they begin. */
    private ElementType elementType(Entry entry, long room) throws CheckpointFormatException {
        Optional<ElementType> known = GgufTensorTypes.find(entry.typeId());
        if (known.isEmpty()) {
            throw CheckpointFormatException.invalid(
                    entry.where(),
                    GgufTensorTypes.describe(entry.typeId()) + " is not supported",
                    GgufTensorTypes.OTHER_TYPE);
        }
        if (entry.typeId() != GgufTensorTypes.Q2_0) {
            return known.get();
        }
        // Two block sizes share the number, and only the room up to the next tensor tells which it is.
        for (ElementType candidate : List.of(ElementType.Q2_0, ElementType.Q2_0_G128)) {
            if (hasWholeRows(entry.shape(), candidate)) {
                long bytes = storedBytes(entry, candidate);
                if (room == bytes || room == alignUp(bytes, alignment)) {
                    return candidate;
                }
            }
        }
        throw CheckpointFormatException.mismatch(
                entry.where(),
                "the size of " + entry.shape() + " Q2_0, in blocks of 64 or 128",
                room + " bytes up to the next tensor",
                "the file is damaged or written by an unknown fork, get another one");
    }

    private static boolean hasWholeRows(Shape shape, ElementType type) {
        // I2_S runs through the whole tensor in storage order.
        long run = type == ElementType.I2_S || shape.rank() == 0 ? shape.elements() : shape.dimension(shape.rank() - 1);
        return run % type.blockElements() == 0;
    }

    private static long storedBytes(Entry entry, ElementType type) throws CheckpointFormatException {
        try {
            if (!hasWholeRows(entry.shape(), type)) {
                throw CheckpointFormatException.mismatch(
                        entry.where(),
                        "rows of whole " + type + " blocks of " + type.blockElements(),
                        entry.shape(),
                        StrictJson.DOWNLOAD_AGAIN);
            }
            return type.storedBytes(entry.shape().elements());
        } catch (ArithmeticException e) {
            throw new CheckpointFormatException(
                    entry.where() + ": shape: expected less than 2^63 bytes, found " + entry.shape() + " " + type + "; "
                            + StrictJson.DOWNLOAD_AGAIN,
                    e);
        }
    }
}
