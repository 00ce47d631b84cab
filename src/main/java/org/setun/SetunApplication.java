package org.setun;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.ConfigurableApplicationContext;

/** The server. */
@SpringBootApplication(proxyBeanMethods = false)
public class SetunApplication {

    /** For Spring only. */
    SetunApplication() {}

    /**
     * Starts the server and returns while it runs, on threads that keep the process alive; if it cannot start, says why
     * and ends the process with exit code 1.
     *
     * @param arguments Spring's, such as {@code --server.port=8081}
     */
    public static void run(String[] arguments) {
        try {
            start(arguments);
        } catch (RuntimeException reported) {
            // Spring has logged its analysis, or a stack trace where it knows no better.
            System.exit(1);
        }
    }

    /** Starts the server, as {@link #run} does, and returns its context; an exception if it cannot start. */
    static ConfigurableApplicationContext start(String[] arguments) {
        SpringApplication application = new SpringApplication(SetunApplication.class);
        // By this class Spring finds what its ahead-of-time processing has made, if the build had it do so.
        application.setMainApplicationClass(SetunApplication.class);
        application.addInitializers(new EarlyCheckpoint.Initializer());
        return application.run(arguments);
    }

    /** For Spring's ahead-of-time processing, which runs it until the context is to be refreshed. */
    static void main(String[] arguments) {
        start(arguments);
    }
}
