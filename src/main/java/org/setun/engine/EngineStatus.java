package org.setun.engine;

/**
 * What an engine does at a moment, for gauges. The numbers are read one after another, so they may be of neighbouring
 * steps.
 *
 * @param running sequences that hold a state slot
 * @param waiting accepted requests that hold none yet
 * @param freeSlots state slots that no sequence holds
 * @param accepting whether new requests are taken
 */
public record EngineStatus(int running, int waiting, int freeSlots, boolean accepting) {}
