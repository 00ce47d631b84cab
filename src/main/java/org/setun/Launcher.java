package org.setun;

/** Starts Setun. */
public final class Launcher {

    private Launcher() {}

    public static void main(String[] arguments) {}
}
