package org.setun.tokenizer;

import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import com.hubspot.jinjava.lib.tag.ElseTag;
import com.hubspot.jinjava.lib.tag.ForTag;
import com.hubspot.jinjava.tree.Node;
import com.hubspot.jinjava.tree.TagNode;
import com.hubspot.jinjava.tree.parse.TagToken;
import com.hubspot.jinjava.util.ForLoop;
import com.hubspot.jinjava.util.ObjectIterator;
import com.hubspot.jinjava.util.ObjectTruthValue;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.lang3.tuple.Pair;

/** Jinjava's {@code for}, with Jinja's {@code for x in xs if condition} and {@code for … else}, which it lacks. */
final class LoopTag extends ForTag {

    private static final long serialVersionUID = 1;

    /** A collection and a condition; with an {@code else} it would be a conditional expression. */
    private static final Pattern FILTERED = Pattern.compile("(?s)(.+?)\\sif\\s((?!.*\\selse\\s).+)");

    @Override
    public String interpretUnchecked(TagNode node, JinjavaInterpreter interpreter) {
        Pair<List<String>, String> loop = getLoopVarsAndExpression((TagToken) node.getMaster());
        Matcher filtered = FILTERED.matcher(loop.getRight());
        Object collection;
        if (filtered.matches()) {
            Object all = interpreter.resolveELExpression(filtered.group(1), node.getLineNumber());
            collection = select(all, loop.getLeft().getFirst(), filtered.group(2), node, interpreter);
        } else {
            collection = interpreter.resolveELExpression(loop.getRight(), node.getLineNumber());
        }
        int otherwise = indexOfElse(node);
        if (otherwise < 0) {
            return renderForCollection(node, interpreter, loop.getLeft(), collection);
        }
        if (ObjectIterator.getLoop(collection).hasNext()) {
            TagNode body = new TagNode(this, (TagToken) node.getMaster(), node.getSymbols());
            body.getChildren().addAll(node.getChildren().subList(0, otherwise));
            return renderForCollection(body, interpreter, loop.getLeft(), collection);
        }
        StringBuilder text = new StringBuilder();
        node.getChildren()
                .subList(otherwise + 1, node.getChildren().size())
                .forEach(child -> text.append(child.render(interpreter)));
        return text.toString();
    }

    private static List<Object> select(
            Object all, String variable, String condition, TagNode node, JinjavaInterpreter interpreter) {
        List<Object> selected = new ArrayList<>();
        ForLoop elements = ObjectIterator.getLoop(all);
        while (elements.hasNext()) {
            Object element = elements.next();
            interpreter.enterScope();
            try {
                interpreter.getContext().put(variable, element);
                if (ObjectTruthValue.evaluate(interpreter.resolveELExpression(condition, node.getLineNumber()))) {
                    selected.add(element);
                }
            } finally {
                interpreter.leaveScope();
            }
        }
        return selected;
    }

    private static int indexOfElse(TagNode node) {
        int index = 0;
        for (Node child : node.getChildren()) {
            if (child instanceof TagNode tag && tag.getTag() instanceof ElseTag) {
                return index;
            }
            index++;
        }
        return -1;
    }
}
