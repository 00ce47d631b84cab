package org.setun.engine;

/**
 * What the model did for one request.
 *
 * @param id the request's name
 * @param activity what it did
 */
public record RequestActivity(String id, Activity activity) {}
