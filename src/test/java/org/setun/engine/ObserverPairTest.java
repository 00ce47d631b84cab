package org.setun.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

final class ObserverPairTest {

    @Test
    void bothSeeEverything() throws Exception {
        List<String> seen = new ArrayList<>();
        EngineObserver pair = new ObserverPair(recorder("first", seen), recorder("second", seen));
        List<String> expected = new ArrayList<>();
        for (Method method : EngineObserver.class.getDeclaredMethods()) {
            Object[] arguments = Stream.of(method.getParameterTypes())
                    .map(type -> type == int.class ? 0 : null)
                    .toArray();
            method.invoke(pair, arguments);
            expected.add("first " + method.getName());
            expected.add("second " + method.getName());
        }

        assertThat(seen).isNotEmpty().isEqualTo(expected);
    }

    private static EngineObserver recorder(String name, List<String> seen) {
        return (EngineObserver) Proxy.newProxyInstance(
                EngineObserver.class.getClassLoader(),
                new Class<?>[] {EngineObserver.class},
                (proxy, method, arguments) -> {
                    seen.add(name + " " + method.getName());
                    return null;
                });
    }
}
