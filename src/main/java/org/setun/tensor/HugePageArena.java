package org.setun.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import org.jspecify.annotations.Nullable;

/**
 * An arena for weights: what is allocated in it lies side by side in memory that Linux is asked to map in huge pages ({@code madvise(2)},
 * MADV_HUGEPAGE). Threads that read it in order miss the translation buffers 512 times less often, and first touching it is several times as
 * fast; which page lies where is decided then, by the thread that does. Where there is no such system, or it does not want to, memory is as any
 * arena's.
 *
 * <p>Memory is zeroed, shared by all threads, and freed when the arena is closed. Who creates it closes it. Thread-safe.
 */
public final class HugePageArena implements Arena {

    /** Of x86 and, usually, ARM. */
    private static final long HUGE_PAGE = 2L << 20;

    /** Smaller segments are worth no place in a reservation. */
    private static final long LEAST_BYTES = 64L << 10;

    /** Addresses reserved at a time; memory is taken only where it is touched. */
    private static final long RESERVATION = 1L << 30;

    private final Arena delegate = Arena.ofShared();
    private final @Nullable LinuxMemory linux;
    private MemorySegment reserved = MemorySegment.NULL;
    private long used;

    private HugePageArena(@Nullable LinuxMemory linux) {
        this.linux = linux;
    }

    /** Creates an arena. */
    public static HugePageArena ofShared() {
        return new HugePageArena(LinuxMemory.HERE);
    }

    @Override
    public MemorySegment allocate(long byteSize, long byteAlignment) {
        if (linux == null || byteSize < LEAST_BYTES || byteAlignment > HUGE_PAGE) {
            return delegate.allocate(byteSize, byteAlignment);
        }
        return allocate(linux, byteSize, byteAlignment);
    }

    private synchronized MemorySegment allocate(LinuxMemory memory, long byteSize, long byteAlignment) {
        long from = alignUp(used, byteAlignment);
        if (from + byteSize > reserved.byteSize()) {
            reserved = memory.reserve(Math.max(RESERVATION, alignUp(byteSize, HUGE_PAGE)), delegate);
            from = 0;
        }
        used = from + byteSize;
        return reserved.asSlice(from, byteSize);
    }

    private static long alignUp(long bytes, long alignment) {
        return Math.ceilDiv(bytes, alignment) * alignment;
    }

    @Override
    public MemorySegment.Scope scope() {
        return delegate.scope();
    }

    @Override
    public void close() {
        delegate.close();
    }

    /** The calls of the C library that reserve addresses; constants are those of {@code asm-generic/mman.h}. */
    private record LinuxMemory(MethodHandle mmap, MethodHandle munmap, MethodHandle madvise) {

        private static final int PROT_READ_WRITE = 0x1 | 0x2;
        private static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x02 | 0x20 | 0x4000;
        private static final int MADV_HUGEPAGE = 14;
        private static final int NO_FILE = -1;
        private static final long MAP_FAILED = -1;

        /** Null where the system is not a Linux of 64 bits. */
        static final @Nullable LinuxMemory HERE = find();

        private static @Nullable LinuxMemory find() {
            if (!System.getProperty("os.name", "").equals("Linux") || ValueLayout.ADDRESS.byteSize() != Long.BYTES) {
                return null;
            }
            Linker linker = Linker.nativeLinker();
            SymbolLookup symbols = linker.defaultLookup();
            return new LinuxMemory(
                    linker.downcallHandle(
                            symbols.findOrThrow("mmap"),
                            FunctionDescriptor.of(
                                    ValueLayout.JAVA_LONG,
                                    ValueLayout.JAVA_LONG,
                                    ValueLayout.JAVA_LONG,
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_LONG)),
                    linker.downcallHandle(
                            symbols.findOrThrow("munmap"),
                            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG)),
                    linker.downcallHandle(
                            symbols.findOrThrow("madvise"),
                            FunctionDescriptor.of(
                                    ValueLayout.JAVA_INT,
                                    ValueLayout.JAVA_LONG,
                                    ValueLayout.JAVA_LONG,
                                    ValueLayout.JAVA_INT)));
        }

        /**
         * Reserves addresses that begin at a huge page, until {@code owner} is closed.
         *
         * @param bytes a multiple of {@link #HUGE_PAGE}
         * @throws OutOfMemoryError if the system has none left
         */
        MemorySegment reserve(long bytes, Arena owner) {
            long mapped = bytes + HUGE_PAGE;
            try {
                long start = (long)
                        mmap.invokeExact(0L, mapped, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS_NORESERVE, NO_FILE, 0L);
                if (start == MAP_FAILED) {
                    throw new OutOfMemoryError("cannot reserve " + mapped + " bytes for weights");
                }
                MemorySegment all =
                        MemorySegment.ofAddress(start).reinterpret(mapped, owner, segment -> release(start, mapped));
                MemorySegment aligned = all.asSlice(alignUp(start, HUGE_PAGE) - start, bytes);
                // A wish: a system that does not grant it maps small pages.
                int ignored = (int) madvise.invokeExact(aligned.address(), bytes, MADV_HUGEPAGE);
                return aligned;
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError("mmap and madvise declare no exception", e);
            }
        }

        private void release(long start, long bytes) {
            try {
                int ignored = (int) munmap.invokeExact(start, bytes);
            } catch (RuntimeException | Error e) {
                throw e;
            } catch (Throwable e) {
                throw new AssertionError("munmap declares no exception", e);
            }
        }
    }
}
