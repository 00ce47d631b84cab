package org.setun;

import java.util.Objects;
import org.setun.web.ServedModel;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.boot.context.event.ApplicationReadyEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;

/** Says in the log where the server is and how to try it. */
@Component
final class Announcement implements ApplicationListener<ApplicationReadyEvent> {

    private static final Logger log = LoggerFactory.getLogger(Announcement.class);

    private final ServedModel model;
    private final Environment environment;

    Announcement(ServedModel model, Environment environment) {
        this.model = model;
        this.environment = environment;
    }

    @Override
    public void onApplicationEvent(ApplicationReadyEvent event) {
        String port = environment.getProperty("local.server.port");
        if (port == null) {
            return;
        }
        String url = "http://" + environment.getProperty("server.address", "localhost") + ":" + port + "/v1";
        log.info(
                """
                Setun is serving {} at {} after {} ms; try it:
                  curl -N {}/completions -H 'Content-Type: application/json' -d '{"prompt": "Once upon a time", "stream": true}'""",
                model.name(),
                url,
                Objects.requireNonNull(event.getTimeTaken()).toMillis(),
                url);
    }
}
