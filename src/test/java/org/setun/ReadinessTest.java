package org.setun;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.setun.generation.Generator;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.web.server.context.WebServerInitializedEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;

/** Ready means that the model has answered, not that a port is open. */
@Timeout(120)
final class ReadinessTest {

    private final CompletableFuture<Integer> port = new CompletableFuture<>();
    private final CountDownLatch warmingUp = new CountDownLatch(1);
    private final CountDownLatch mayAnswer = new CountDownLatch(1);

    @Test
    void theServerIsNotReadyBeforeTheModelHasAnsweredAFirstPrompt() throws Exception {
        SpringApplication application = new SpringApplication(SetunApplication.class);
        application.addListeners((ApplicationListener<WebServerInitializedEvent>)
                event -> port.complete(event.getWebServer().getPort()));
        application.addInitializers(context -> context.getBeanFactory().addBeanPostProcessor(new WaitingGenerator()));
        CompletableFuture<ConfigurableApplicationContext> server = CompletableFuture.supplyAsync(
                () -> application.run("--server.port=0", "--spring.main.register-shutdown-hook=false"));
        try {
            warmingUp.await();
            assertThat(status("/actuator/health/readiness")).isEqualTo(503);
            assertThat(status("/actuator/health/liveness")).isEqualTo(200);
            mayAnswer.countDown();
            server.get(60, TimeUnit.SECONDS);
            assertThat(status("/actuator/health/readiness")).isEqualTo(200);
        } finally {
            mayAnswer.countDown();
            server.get(60, TimeUnit.SECONDS).close();
        }
    }

    /** Lets a generator's first answer wait. */
    private final class WaitingGenerator implements BeanPostProcessor {

        @Override
        public Object postProcessAfterInitialization(Object bean, String name) {
            if (!(bean instanceof Generator generator)) {
                return bean;
            }
            return (Generator) (request, events) -> {
                warmingUp.countDown();
                try {
                    mayAnswer.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                return generator.start(request, events);
            };
        }
    }

    private int status(String path) throws Exception {
        URI uri = URI.create("http://localhost:" + port.join() + path);
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.discarding())
                .statusCode();
    }
}
