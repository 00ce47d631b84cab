package org.setun.engine;

/**
 * What the model did for one request.
 *
 * @param id the request's name
 * @param caller who asked, as {@link Urgency} has it
 * @param activity what it did
 */
public record RequestActivity(String id, String caller, Activity activity) {}
