package org.setun.cli.load;

import java.util.OptionalInt;

/**
 * What a server says that it serves.
 *
 * @param name the model's name, which requests give; empty if there is none to give
 * @param vocabSize how many token ids there are; empty if nobody says
 */
record ServedModel(String name, OptionalInt vocabSize) {}
