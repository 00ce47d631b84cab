package org.setun.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** However the server is asked for, it gets Spring's arguments, and the process goes on. */
final class SetunCommandTest {

    private static List<String> served(String... arguments) {
        List<String> served = new ArrayList<>();
        OptionalInt exitCode = SetunCommand.run(arguments, given -> {
            served.add("started");
            served.addAll(List.of(given));
        });
        assertThat(exitCode).isEmpty();
        return served;
    }

    @Test
    void withoutArgumentsTheServerStarts() {
        assertThat(served()).containsExactly("started");
        assertThat(served("serve")).containsExactly("started");
    }

    @ParameterizedTest
    @CsvSource({
        "--server.port=8081,--server.port=8081",
        "--setun.engine.max-sequences=4,--setun.engine.max-sequences=4",
        "--port=8081,--server.port=8081",
        "--model=a.b,--setun.model.path=a.b",
        "--threads=2,--setun.engine.threads=2"
    })
    void settingsAndOptionsReachTheServer(String argument, String expected) {
        assertThat(served(argument)).containsExactly("started", expected);
        assertThat(served("serve", argument)).containsExactly("started", expected);
        assertThat(served("serve", argument, "--server.address=localhost"))
                .containsExactlyInAnyOrder("started", expected, "--server.address=localhost");
    }

    @Test
    void whatIsNoSettingIsParsed() {
        assertThat(SetunCommand.run(new String[] {"serve", "--help"}, given -> {}))
                .hasValue(0);
        assertThat(SetunCommand.run(new String[] {"--server.port=1", "--port=many"}, given -> {}))
                .hasValue(2);
    }
}
