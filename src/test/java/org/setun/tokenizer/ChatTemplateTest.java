package org.setun.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.time.Duration;
import java.time.LocalDateTime;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

final class ChatTemplateTest {

    private static final Map<String, String> SPECIAL_TOKENS =
            Map.of("bos_token", "<s>", "eos_token", "</s>", "unk_token", "<unk>");

    private static final List<ChatMessage> HELLO = List.of(new ChatMessage("user", "Hello"));

    /** {@code jinja.json} was rendered by Jinja 3.1.6 in the environment of {@code apply_chat_template}. */
    @Test
    void templatesRenderAsInJinja() throws Exception {
        JsonNode cases = Golden.read(Golden.RESOURCES.resolve("chat-template/jinja.json"));
        assertThat(cases).isNotEmpty();
        for (JsonNode expected : cases) {
            ChatTemplate template = new ChatTemplate(expected.get("template").asString(), SPECIAL_TOKENS);
            List<ChatMessage> messages = Golden.messages(expected.get("messages"));
            boolean cue = expected.get("add_generation_prompt").asBoolean();
            if (expected.has("error")) {
                assertThatExceptionOfType(ChatTemplateException.class)
                        .isThrownBy(() -> template.render(messages, cue))
                        .withMessage(expected.get("error").asString());
            } else {
                assertThat(template.render(messages, cue))
                        .as(expected.get("template").asString())
                        .isEqualTo(expected.get("text").asString());
            }
        }
    }

    @Test
    void messagesAreNeverReadAsTemplates() throws Exception {
        String text = "{{ 1 + 1 }}{% for i in range(9) %}x{% endfor %}{# gone #}{% raw %}'\"\\";
        ChatTemplate template = new ChatTemplate(
                "{% set x = messages[0].content %}{{ x }}|{{ x | trim }}|{{ x ~ '' }}|{{ [x] | join }}|{{ x.strip() }}"
                        + "{% macro m(y) %}|{{ y }}{% endmacro %}{{ m(x) }}{% set z %}|{{ x }}{% endset %}{{ z }}"
                        + "|{{ messages[0].role }}",
                SPECIAL_TOKENS);

        assertThat(template.render(List.of(new ChatMessage(text, text)), true))
                .isEqualTo(String.join("|", text, text, text, text, text, text, text, text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{% endfor %}{% endfor %}{% endfor %}",
                "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}{{ c }}{% endfor %}{% endfor %}{% endfor %}",
                "{% set n = namespace(x='abcdefgh') %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
                "{% set n = namespace(x='abcdefgh') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
                "{% set n = namespace(x='ab') %}{% for i in range(99) %}{% set n.x = n.x | replace('a', n.x) %}{% endfor %}",
                "{% set n = namespace(x='ab') %}{% for i in range(99) %}{% set n.x = n.x.replace('', n.x) %}{% endfor %}",
                "{% set n = namespace(x=['ab']) %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
                "{% set n = namespace(x=['a']) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x | tojson }}",
                "{% set n = namespace(x=[]) %}{% for i in range(9999) %}{% for j in range(9999) %}{% set n.x = n.x + ['%s' * 1] %}{% endfor %}{% endfor %}",
                "{% macro f(x) %}{{ f(x) }}{{ f(x) }}{% endmacro %}{{ f(1) }}",
                "{{ 'a'.repeat(2000000000) }}",
                "{{ 'a' * 2000000000 }}",
                "{{ 'a' | center(2000000000) }}",
                "{{ 'a' | indent(2000000000) }}",
                "{{ '%2000000000d' | format(1) }}",
                "{{ messages[0].getClass().forName('java.lang.Runtime') }}",
                "{{ ''.getClass() }}",
                "{% include '/etc/passwd' %}",
                "{% import '/etc/passwd' as x %}",
                "{{ '{{ 1 }}' | render }}",
                "{{ no_such_function() }}",
                "{% no_such_tag %}",
                "{% if %}",
                "{{ 'unclosed",
                "{% if messages is no_such_test %}a{% endif %}",
                "{{ 'a' | no_such_filter }}",
                "{% for m in messages %}{{ loop.previtem }}{% endfor %}",
            })
    @Timeout(20)
    void hostileAndBrokenTemplatesFail(String source) {
        ChatTemplate template = new ChatTemplate(
                source, SPECIAL_TOKENS, new ChatTemplate.Limits(Duration.ofMillis(500), 1 << 16, 1L << 28));

        assertThatExceptionOfType(ChatTemplateException.class).isThrownBy(() -> template.render(HELLO, true));
    }

    @Test
    @Timeout(20)
    void deeplyNestedExpressionsFail() {
        ChatTemplate template =
                new ChatTemplate("{{ " + "(".repeat(100_000) + "1" + ")".repeat(100_000) + " }}", SPECIAL_TOKENS);

        assertThatExceptionOfType(ChatTemplateException.class)
                .isThrownBy(() -> template.render(HELLO, true))
                .withMessageContaining("deep");
    }

    @Test
    void longMessagesPass() throws Exception {
        String text = "word {{ x }} \n".repeat(100_000);
        ChatTemplate template = new ChatTemplate(
                "{% for m in messages %}{{ '[' + m.role + ']' + m.content | trim }}{% endfor %}", SPECIAL_TOKENS);

        assertThat(template.render(List.of(new ChatMessage("user", text)), true))
                .isEqualTo("[user]" + text.strip());
    }

    @Test
    void timesAreFormattedAsInPython() {
        assertThat(Strftime.format("%d %b %Y, %A %H:%M:%S %p %% %Q", LocalDateTime.of(2026, 3, 7, 16, 5, 9)))
                .isEqualTo("07 Mar 2026, Saturday 16:05:09 PM % %Q");
    }

    @Test
    void theCurrentTimeIsAtHand() throws Exception {
        assertThat(new ChatTemplate("{{ strftime_now('%Y') }}", SPECIAL_TOKENS).render(HELLO, true))
                .matches("\\d{4}");
    }
}
