-- The entries of the annuaire that have all the words of a text.

-- What has all the needed words of a question, in one way to understand it: the entries, or, within a layer, the ids of its
-- things. Each word is met by a name, of an entry by its address too, or, with context, by a category or district. Words are
-- meant as far as a level; what only sounds alike is nearer where it looks alike as well.
CREATE FUNCTION search.having_all(
    meant search.meaning[], needed integer[], typed jsonb, farthest integer, with_context boolean, within text
) RETURNS SETOF text
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
    by_name CONSTANT text := CASE WHEN with_context THEN '(t.words && %1$L::integer[] OR t.context && %1$L::integer[])'
        ELSE 't.words && %1$L::integer[]' END;
    parts text[] := '{}';
    written text;
    either text;
    one record;
BEGIN
    FOR one IN
        SELECT n.token, coalesce(array_agg(m.word) FILTER (WHERE m.level <= farthest OR (m.level = 3 AND m.off <= 0.2)), '{}')
            AS words
        FROM unnest(needed) AS n(token) LEFT JOIN unnest(meant) m ON m.token = n.token
        GROUP BY n.token
    LOOP
        IF within IS NOT NULL THEN
            parts := parts || format(by_name, one.words);
            CONTINUE;
        END IF;
        either := format('SELECT t.entry FROM search.things t WHERE t.entry IS NOT NULL AND ' || by_name, one.words);
        -- As it was typed, and what a short form stands for.
        FOR written IN SELECT DISTINCT search.plain(w) FROM jsonb_array_elements_text(typed -> one.token - 1) w LOOP
            either := either || format(' UNION SELECT e.id FROM directory.entries e WHERE e.plain %s %L',
                -- A number is no part of another one, and two letters stand in nearly everything.
                CASE WHEN written ~ '^(\d+|\w{1,2})$' THEN '~' ELSE 'LIKE' END,
                CASE WHEN written ~ '^\d+$' THEN '\m' || written || '\M' WHEN written ~ '^\w{1,2}$' THEN '\m' || written
                    ELSE '%' || regexp_replace(written, '([\\%_])', '\\\1', 'g') || '%' END);
        END LOOP;
        parts := parts || either;
    END LOOP;
    IF within IS NOT NULL THEN
        RETURN QUERY EXECUTE format(
            'SELECT t.id FROM search.things t WHERE t.layer = %L AND t.kind <> ''category'' AND %s',
            within, array_to_string(parts, ' AND '));
    ELSE
        RETURN QUERY EXECUTE '(' || array_to_string(parts, ') INTERSECT (') || ')';
    END IF;
END $$;

-- The entries, or the ids of a layer's things, that have all the words of a question as the search understands them: as they
-- are or begun, or as they sound; else by their category or district as well; else written together; else misspelt. Words
-- that may be left out, but that many a name has, are met if they can be.
CREATE FUNCTION search.keys(asked jsonb, within text) RETURNS SETOF text
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 300
AS $$
DECLARE
    total CONSTANT integer := (asked ->> 'total')::integer;
    needed CONSTANT integer[] := ARRAY(SELECT n::integer FROM jsonb_array_elements_text(asked -> 'needed') n);
    -- With the words beside that a name may well have.
    rather CONSTANT integer[] := ARRAY(SELECT n::integer FROM jsonb_array_elements_text(asked -> 'rather') n);
    joined CONSTANT text := asked ->> 'joined';
    alike boolean;
    with_context boolean;
    farthest integer;
    meant search.meaning[];
BEGIN
    FOREACH alike IN ARRAY ARRAY[false, true] LOOP
        SELECT search.meant(array_agg(f.form), array_agg(f.token), array_agg(f.sound), array_agg(f.heard),
            array_agg(f.misspelt), array_agg(f.loose), total, alike)
        FROM jsonb_to_recordset(asked -> 'forms')
            AS f(form text, token integer, sound text, heard text, misspelt text, loose boolean) INTO meant;
        FOREACH with_context IN ARRAY CASE WHEN total > 1 THEN ARRAY[false, true] ELSE ARRAY[false] END LOOP
            FOREACH farthest IN ARRAY CASE WHEN alike THEN ARRAY[4] ELSE ARRAY[2, 3] END LOOP
                IF rather <> needed THEN
                    RETURN QUERY
                        SELECT * FROM search.having_all(meant, rather, asked -> 'typed', farthest, with_context, within);
                    IF FOUND THEN
                        RETURN;
                    END IF;
                END IF;
                RETURN QUERY
                    SELECT * FROM search.having_all(meant, needed, asked -> 'typed', farthest, with_context, within);
                IF FOUND THEN
                    RETURN;
                END IF;
            END LOOP;
        END LOOP;
        IF joined <> '' THEN
            meant := search.meant_together(joined, asked ->> 'joined_sound', asked ->> 'joined_heard',
                asked ->> 'joined_misspelt', alike AND NOT needed <@ ARRAY(SELECT s.token FROM search.settled(meant) s),
                meant);
            RETURN QUERY SELECT * FROM search.having_all(meant, ARRAY[1], '[[]]', 4, false, within);
            IF FOUND THEN
                RETURN;
            END IF;
        END IF;
    END LOOP;
END $$;
