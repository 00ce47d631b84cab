package org.setun.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBufAllocator;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The watch over buffers sees what it watches for. */
final class NettyLeaksTest {

    @Test
    void aBufferThatNobodyReleasesIsFound() {
        NettyLeaks leaks = new NettyLeaks();
        leaks.watch();
        drop();

        List<String> found = leaks.stop();
        assertThat(found).anySatisfy(leak -> assertThat(leak).contains("LEAK", "release() was not called"));
        assertThatThrownBy(() -> NettyLeaks.requireNone(found)).hasMessageContaining("buffers that nobody released");
    }

    @Test
    void aReleasedBufferIsNotFound() {
        NettyLeaks leaks = new NettyLeaks();
        leaks.watch();
        ByteBufAllocator.DEFAULT.buffer(1000).writeLong(1).release();

        assertThat(leaks.stop()).isEmpty();
    }

    private static void drop() {
        ByteBufAllocator.DEFAULT.buffer(1000).writeLong(1);
    }
}
