package org.setun;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

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
            SpringApplication.run(SetunApplication.class, arguments);
        } catch (RuntimeException reported) {
            // Spring has logged its analysis, or a stack trace where it knows no better.
            System.exit(1);
        }
    }
}
