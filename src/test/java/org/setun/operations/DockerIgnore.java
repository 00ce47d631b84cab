package org.setun.operations;

import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.util.ArrayList;
import java.util.List;

/** Which files of a checkout reach an image's builder: the last line of a {@code .dockerignore} that matches one decides. */
final class DockerIgnore {

    private record Rule(PathMatcher pattern, boolean included) {}

    private final List<Rule> rules = new ArrayList<>();

    DockerIgnore(Path file) throws IOException {
        for (String line : Files.readAllLines(file)) {
            if (line.isBlank() || line.startsWith("#")) {
                continue;
            }
            boolean included = line.startsWith("!");
            String pattern = (included ? line.substring(1) : line).strip();
            String name = pattern.endsWith("/") ? pattern.substring(0, pattern.length() - 1) : pattern;
            rules.add(new Rule(FileSystems.getDefault().getPathMatcher("glob:" + name), included));
        }
    }

    /** Returns whether the file at {@code path}, relative to the checkout, is given to the builder. */
    boolean includes(Path path) {
        boolean included = true;
        for (Rule rule : rules) {
            for (Path part = path; part != null; part = part.getParent()) {
                if (rule.pattern().matches(part)) {
                    included = rule.included();
                }
            }
        }
        return included;
    }
}
