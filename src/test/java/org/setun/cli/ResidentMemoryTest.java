package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ResidentMemoryTest {

    @TempDir
    private Path temporary;

    @Test
    void isReadFromTheKernelsTextInBytes() throws Exception {
        Path status = Files.writeString(
                temporary.resolve("status"), "Name:\tjava\nVmHWM:\t  999 kB\nVmRSS:\t  123456 kB\nThreads:\t9\n");

        assertThat(ResidentMemory.bytes(status)).hasValue(123_456L * 1024);
    }

    @Test
    void isUnknownWhereTheKernelDoesNotTell() throws Exception {
        assertThat(ResidentMemory.bytes(temporary.resolve("none"))).isEmpty();
        assertThat(ResidentMemory.bytes(Files.writeString(temporary.resolve("status"), "Name:\tjava\n")))
                .isEmpty();
    }
}
