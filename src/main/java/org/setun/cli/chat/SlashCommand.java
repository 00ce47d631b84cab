package org.setun.cli.chat;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** What a user may tell the program instead of the model. */
enum SlashCommand {
    HELP("", "shows this list"),
    RESET("", "forgets what was said, but not the system prompt"),
    SYSTEM("[TEXT]", "tells the model how to behave from the next answer on; without a text, nothing"),
    REGEN("", "answers the last question anew"),
    SET("[NAME VALUE]", "changes one of " + String.join(", ", ChatSettings.NAMES) + "; alone, shows them"),
    STATS("", "tells how long the conversation is and how fast the last answer was"),
    EXIT("", "ends the conversation");

    private final String argument;
    private final String effect;

    SlashCommand(String argument, String effect) {
        this.argument = argument;
        this.effect = effect;
    }

    /** Returns the command as it is typed. */
    String word() {
        return "/" + name().toLowerCase(Locale.ROOT);
    }

    /** Returns the words that a user may type. */
    static List<String> names() {
        return Arrays.stream(values()).map(SlashCommand::word).toList();
    }

    /** Returns the command of that word, the slash included. */
    static Optional<SlashCommand> of(String word) {
        return Arrays.stream(values())
                .filter(command -> command.word().equals(word))
                .findFirst();
    }

    /** Returns a line on each command, and two on what else can be typed. */
    static String help() {
        String commands = Arrays.stream(values())
                .map(command -> "%-18s %s".formatted((command.word() + " " + command.argument).strip(), command.effect))
                .collect(Collectors.joining("\n"));
        return commands + "\n"
                + "A line that ends in \\ goes on in the next. \"\"\" begins lines that are taken as they are, up to \"\"\".\n"
                + "Ctrl-C ends an answer; Ctrl-D, or Ctrl-C twice, the conversation.";
    }
}
