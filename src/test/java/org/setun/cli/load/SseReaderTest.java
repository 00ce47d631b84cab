package org.setun.cli.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class SseReaderTest {

    private static List<String> events(String stream) throws Exception {
        SseReader reader = new SseReader(new ByteArrayInputStream(stream.getBytes(StandardCharsets.UTF_8)));
        List<String> events = new ArrayList<>();
        for (String data = reader.next(); data != null; data = reader.next()) {
            events.add(data);
        }
        return events;
    }

    @Test
    void dataIsReadWithOrWithoutASpaceAndWithAnyLineEnd() throws Exception {
        assertThat(events("data: один\n\ndata:two\r\n\r\ndata:  three\r\rdata: \n\ndata\n\n"))
                .containsExactly("один", "two", " three", "", "");
    }

    @Test
    void linesOfAnEventAreJoinedAndOtherFieldsPassedOver() throws Exception {
        assertThat(events(": ping\n\nevent: x\nid: 7\ndata: one\ndata: two\n\nretry: 5\n\ndatabase: no\n\n"))
                .containsExactly("one\ntwo");
    }

    @Test
    void anEventThatIsCutOffIsNone() throws Exception {
        assertThat(events("data: whole\n\ndata: half")).containsExactly("whole");
        assertThat(events("data: whole\n\ndata: half\n")).containsExactly("whole");
        assertThat(events("")).isEmpty();
    }

    @Test
    void garbageIsGivenUpBeforeItFillsTheMemory() {
        assertThatThrownBy(() -> new SseReader(much("x")).next())
                .isInstanceOf(FailedRequestException.class)
                .hasMessage("a line has more than 1048576 bytes");
        assertThatThrownBy(() -> new SseReader(much("data: xxxxxxxx\n")).next())
                .isInstanceOf(FailedRequestException.class)
                .hasMessage("an event has more than 1048576 characters");
    }

    private static InputStream much(String text) {
        return new ByteArrayInputStream(text.repeat((4 << 20) / text.length()).getBytes(StandardCharsets.UTF_8));
    }
}
