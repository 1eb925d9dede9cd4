-- Of another spelling of a word (``deuxieme`` of ``2``): the word that it stands for, which alone stands in names.
ALTER TABLE search.words ADD COLUMN stands_for integer;
CREATE INDEX words_stands_for_idx ON search.words (stands_for) WHERE stands_for IS NOT NULL;
-- What words sound like has changed; the next refresh makes them all anew.
TRUNCATE search.things, search.words;

-- The words that a form of a question may mean. level: 0 the same, 1 the same sound in another script, 2 a beginning,
-- 3 the same sound, 4 alike; off: how far from it, from 0 to 1. A number is no other number, nor is a code (T1) another;
-- one that is loose may be begun. Of another spelling that is begun off is from 8 on.
CREATE OR REPLACE FUNCTION search.meanings(
    form text, sound text, heard text, misspelt text, loose boolean, alone boolean, alike boolean
) RETURNS TABLE (word integer, level smallint, off real, uses bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
#variable_conflict use_column
DECLARE
    in_arabic CONSTANT boolean := form ~ '[؀-ۿ]';
    last CONSTANT text := chr(1114111);
    digits CONSTANT text := regexp_replace(form, '[^0-9]', '', 'g');
    -- Of two or three consonants too many words are made.
    short CONSTANT boolean := length(ltrim(sound, 'a')) <= 3;
    brief CONSTANT boolean := length(ltrim(sound, 'a')) <= 2;
    -- In the pattern of an Arabic word, a vowel that it writes: with two consonants and none, nothing tells it from others.
    vowel CONSTANT text := '\[(ae|ouw|eiy)\]';
    -- Of a number: further digits may follow.
    begun CONSTANT boolean := loose AND form = digits;
    -- Letters that are one another but for their dots.
    dotted CONSTANT text := 'حخبتثنذزشضظغق';
    dotless CONSTANT text := 'ججييييدرسصطعف';
    -- How far another spelling that is only begun is: farther than all eight words of a question that are begun themselves.
    spelling CONSTANT real := 8;
    known boolean;
BEGIN
    RETURN QUERY SELECT coalesce(w.stands_for, w.id), 0::smallint, 0::real, w.uses FROM search.words w WHERE w.form = meanings.form;
    known := FOUND;
    -- Of a single consonant too many words are made.
    IF length(ltrim(sound, 'a')) > 1 OR (sound <> '' AND NOT alone) OR (loose AND length(sound) > 1) THEN
        RETURN QUERY
            SELECT coalesce(w.stands_for, w.id),
                CASE WHEN loose THEN 1 ELSE 3 END::smallint,
                CASE WHEN w.arabic <> in_arabic THEN 0.3 ELSE (1 - public.similarity(w.form, meanings.form)) * 0.5 END::real,
                w.uses
            FROM search.words w
            WHERE w.sound = meanings.sound AND w.sound <> '' AND w.form <> meanings.form
                AND CASE
                    WHEN w.arabic AND NOT in_arabic THEN search.one_word(w.sound, w.heard, meanings.heard)
                        AND (NOT (alone AND brief) OR w.heard ~ vowel)
                    WHEN in_arabic AND NOT w.arabic THEN search.one_word(w.sound, meanings.heard, w.heard)
                        AND (NOT (alone AND brief) OR meanings.heard ~ vowel)
                    -- Arabic writes what is heard: another word that sounds the same differs by a letter at most.
                    WHEN in_arabic THEN search.mistyped(w.form, meanings.form)
                        OR (length(w.form) = length(meanings.form) AND public.similarity(w.form, meanings.form) >= 0.4)
                    ELSE loose OR (public.similarity(w.form, meanings.form) >= 0.25
                        AND abs(length(w.form) - length(meanings.form)) <= 2
                        -- Short words that differ in their vowels as well are other words: merci is no Mers.
                        AND (NOT short OR w.heard = meanings.heard
                            OR public.similarity(w.form, meanings.form) >= 0.5 OR search.mistyped(w.form, meanings.form)))
                END
            ORDER BY w.uses DESC LIMIT 30;
    END IF;
    IF form !~ '^[0-9]$' OR begun THEN
        RETURN QUERY
            SELECT w.id, 2::smallint, (1 - length(meanings.form)::real / length(w.form))::real, w.uses FROM search.words w
            WHERE w.form > meanings.form AND w.form < meanings.form || last AND w.stands_for IS NULL
                AND CASE WHEN begun THEN w.form ~ '^[0-9]+$'
                    WHEN digits <> '' THEN form ~ '[.]' OR regexp_replace(w.form, '[^0-9]', '', 'g') = digits
                    ELSE true END
            ORDER BY w.uses DESC LIMIT 40;
        -- Beside the words, not in their stead. Alone, two letters begin too many; of a number no spelling is begun.
        IF NOT begun AND (length(form) >= 3 OR digits <> '' OR NOT alone) THEN
            RETURN QUERY
                SELECT w.stands_for, 2::smallint, (spelling + 1 - length(meanings.form)::real / length(w.form))::real, w.uses
                FROM search.words w
                WHERE w.form > meanings.form AND w.form < meanings.form || last AND w.stands_for IS NOT NULL
                    AND (digits = '' OR regexp_replace(w.form, '[^0-9]', '', 'g') = digits)
                ORDER BY w.uses DESC LIMIT 40;
        END IF;
    END IF;
    IF length(form) <= 2 AND digits = '' AND NOT alone THEN
        -- Beside another word a letter or two may well begin a rare one, of which there are more than of frequent ones, but
        -- in few things.
        RETURN QUERY
            SELECT w.id, 2::smallint, (1 - length(meanings.form)::real / length(w.form))::real, w.uses FROM search.words w
            WHERE w.form > meanings.form AND w.form < meanings.form || last AND w.uses <= 6 AND w.stands_for IS NULL
            ORDER BY w.uses DESC LIMIT 220;
    END IF;
    IF NOT alike THEN
        RETURN;
    END IF;
    IF misspelt <> '' AND (length(form) >= CASE WHEN in_arabic THEN 3 ELSE 4 END OR NOT alone) THEN
        RETURN QUERY
            SELECT coalesce(w.stands_for, w.id), 4::smallint, (0.2 + (1 - public.similarity(w.form, meanings.form)) * 0.3)::real, w.uses
            FROM search.words w
            WHERE w.misspelt && string_to_array(meanings.misspelt, ' ') COLLATE "C" AND w.form <> meanings.form
                AND search.mistyped(w.form, meanings.form)
                -- Arabic words are nearly all consonants: a short one with another of them is another word, unless it is the
                -- same but for dots.
                AND NOT (in_arabic AND length(meanings.form) <= 5 AND length(w.form) = length(meanings.form)
                    AND NOT string_to_array(w.form, NULL) <@ string_to_array(meanings.form, NULL)
                    AND (translate(w.form, dotted, dotless) <> translate(meanings.form, dotted, dotless)
                        -- Alone a short one is a frequent word rather than a rare one.
                        OR length(meanings.form) < 4 OR (alone AND length(meanings.form) = 4 AND w.uses < 10)))
                -- Of short words hardly anything is left without their first letter, unless others stand beside, or what is
                -- too much in an Arabic one is what has been left of its article.
                AND (length(meanings.form) > 4 OR left(w.form, 1) = left(meanings.form, 1)
                    OR left(w.form, 2) = reverse(left(meanings.form, 2))
                    OR (substr(w.form, 2) = meanings.form
                        AND length(meanings.form) >= CASE WHEN NOT alone THEN 3 WHEN in_arabic THEN 4 ELSE 5 END)
                    OR (w.form = substr(meanings.form, 2) AND meanings.form ~ '^[ال].{3}'))
                AND regexp_replace(w.form, '[^0-9]', '', 'g') = digits
            ORDER BY w.uses DESC LIMIT 30;
        known := known OR FOUND;
    END IF;
    -- Whoever has mistyped more than a letter has not typed another word.
    IF NOT known AND length(form) >= 5 AND digits = '' THEN
        RETURN QUERY
            SELECT coalesce(w.stands_for, w.id), 4::smallint, (1 - public.similarity(w.form, meanings.form))::real, w.uses
            FROM search.words w
            -- The index finds from 0.3 on, which is too much noise.
            WHERE w.form OPERATOR(public.%) meanings.form AND w.form <> meanings.form
                AND public.similarity(w.form, meanings.form)
                    >= CASE WHEN abs(length(w.form) - length(meanings.form)) <= 1 THEN 0.45 ELSE 0.5 END
                AND left(w.form, 1) = left(meanings.form, 1)
                AND abs(length(w.form) - length(meanings.form)) <= length(meanings.form) / 3
            ORDER BY public.similarity(w.form, meanings.form) DESC, w.uses DESC LIMIT 12;
    END IF;
END $$;

-- All that the words of a question may mean, the nearest meaning of each word. Only its last word may be unfinished, and so
-- begin another spelling of some word.
CREATE OR REPLACE FUNCTION search.meant(
    forms text[], tokens integer[], sounds text[], heard text[], misspelt text[], loose boolean[], total integer,
    alike boolean
) RETURNS search.meaning[]
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT array_agg((m.token, m.word, m.level, m.off, m.uses)::search.meaning)
    FROM (
        SELECT DISTINCT ON (f.token, m.word) f.token, m.*
        FROM unnest(forms, tokens, sounds, heard, misspelt, loose) AS f(form, token, sound, heard, misspelt, loose),
            LATERAL search.meanings(f.form, f.sound, f.heard, f.misspelt, f.loose, total = 1, alike) m
        WHERE m.off < 8 OR f.token = (SELECT max(t) FROM unnest(tokens) t)
            -- But for a short one without its last letter, which has too few to be misspelt: ``be`` of ``ben``.
            OR (length(f.form) <= 2 AND m.off < 8.01 + 1.0 / (length(f.form) + 1))
        ORDER BY f.token, m.word, m.level, m.off
    ) m
$$;

-- How far from what was asked a thing is within its class, for the order of rank: words as they are, or begun, are as near,
-- but for other spellings that are begun.
CREATE OR REPLACE FUNCTION search.nearness(class integer, off real) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN class IN (-1, 0, 2, 3, 5, 6, 7) THEN (off >= 8)::integer::numeric ELSE round(off::numeric, 1) END
$$;

-- A text as it is written, articles and all, but for case, accents and what stands between its words.
CREATE FUNCTION search.written(text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
AS $$ SELECT btrim(regexp_replace(search.plain(text), '[^[:alnum:]]+', ' ', 'g')) $$;

DROP FUNCTION search.find(text[], integer[], text[], text[], text[], boolean[], integer[], integer, text, text, text, text,
    double precision, double precision, double precision[], text[], integer);
DROP FUNCTION search.attempt(search.meaning[], integer[], integer, boolean, double precision, double precision,
    double precision[], text[], integer);

-- The things that one way to understand a question finds, with the best of their names, best first.
CREATE FUNCTION search.attempt(
    meant search.meaning[], needed integer[], total integer, whole text, with_context boolean, lon double precision,
    lat double precision, box double precision[], layers text[], wanted integer
) RETURNS SETOF search.finding
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
#variable_conflict use_column
DECLARE
    -- Found before, so that what is said of them is planned once a session and not for every question.
    rows CONSTANT bigint[] := search.candidates(meant, needed, with_context, lon, lat, box, layers);
    written CONSTANT text := search.written(whole);
    -- Weight of works, whose names say where they are.
    telling CONSTANT integer := 10;
BEGIN
    IF rows IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
        WITH known AS MATERIALIZED (
            SELECT * FROM unnest(meant)
        ), near AS MATERIALIZED (
            -- Of each word that must be met, what it means without a typo.
            SELECT n.token, coalesce(array_agg(m.word) FILTER (WHERE m.level < 4), '{}') AS words
            FROM unnest(needed) AS n(token) LEFT JOIN known m USING (token) GROUP BY n.token
        ), chosen AS MATERIALIZED (
            SELECT * FROM search.things WHERE fid = ANY (rows)
        ), hits AS (
            SELECT t.fid, u.owner, u.n, m.token, m.level * 10 + m.off AS worst,
                min(m.level) OVER (PARTITION BY t.fid, u.n) < m.level AS taken, m.word = ANY (t.category_words) AS of_sort
            FROM chosen t, unnest(t.words, t.owners) WITH ORDINALITY AS u(word, owner, n) JOIN known m ON m.word = u.word
        ), met AS (
            -- Of a name's words the one that is meant: rather none that another word of the question means more closely.
            SELECT DISTINCT ON (fid, owner, token) fid, owner, token, worst, n, of_sort
            FROM hits ORDER BY fid, owner, token, taken, worst, n
        ), alike AS (
            -- Of a category that was asked for: in some place, as its name does not say it all.
            SELECT t.fid FROM chosen t
            WHERE with_context
                AND t.category_words && ARRAY(SELECT m.word FROM known m WHERE m.level <= 2)
        ), named AS (
            SELECT fid, owner, count(*) AS tokens, array_agg(token) AS which, count(DISTINCT n) AS places,
                array_agg(n ORDER BY n) AS at,
                count(DISTINCT n + worst / 100) > count(DISTINCT n) AS shared, bool_and(of_sort) AS sort_only,
                max(floor(worst / 10)) AS level, sum(worst - floor(worst / 10) * 10)::real AS off
            FROM met GROUP BY fid, owner
            UNION ALL
            SELECT fid, 1::smallint, 0, '{}', 0, '{}', false, true, 0, 1
            FROM alike WHERE fid NOT IN (SELECT fid FROM met)
        ), classed AS (
            SELECT named.*, t.layer, t.kind, t.id, t.weight, t.sizes[owner] - places AS left_over, t.starts, t.ends, t.geom,
                t.area,
                CASE
                    -- Two words of the question are not one of the name, which one of them only begins, unless they stand
                    -- for it together. Words written together are a name that nobody sees.
                    WHEN shared AND level = 2 THEN CASE WHEN t.sizes[owner] > 1 THEN 9 END
                    -- Of the category that was asked for, and named so beside; or of the kind, or where was asked for.
                    WHEN tokens < total AND fid IN (SELECT fid FROM alike)
                        THEN guessed + CASE WHEN tokens = 0 THEN 8 WHEN level > 2 THEN level + 7 WHEN sort_only OR t.category IS NULL OR (t.sizes[owner] = 1 AND level = 2) THEN 7
                            ELSE 6 END
                    -- What tells of a place is not meant by what only sounds like it, nor is a name of which most is not met.
                    WHEN level > 2 AND (t.weight <= telling
                        OR (tokens < total AND tokens >= cardinality(needed) AND t.sizes[owner] - places >= places)) THEN NULL
                    WHEN tokens < total THEN greatest(8 + guessed, level + 8)
                    -- Asked for with the articles that it has: it and nothing else is meant.
                    WHEN t.sizes[owner] <= places AND level = 0 AND whole <> '' AND search.written(t.names[owner]) = written
                        THEN -1
                    -- A word that only begins another spelling is no whole name.
                    WHEN total = 1 AND level = 2 AND off >= 8 THEN 5
                    WHEN t.sizes[owner] <= places THEN (ARRAY[0, 1, 3, 4, 9])[level::integer + 1]
                    -- What tells of a place is no name of it.
                    WHEN t.weight <= telling AND total > 1 THEN greatest(8, level + 6)
                    -- A word somewhere in a long name says less than the word that it begins with.
                    -- Asked for alone it says no less than a whole name that only sounds alike.
                    -- Asked for alone, but only alike, it says nothing.
                    WHEN t.sizes[owner] - places > greatest(2, places) AND at[1] <> array_position(t.owners, owner)
                        THEN CASE WHEN total > 1 THEN greatest(8, level + 6) WHEN level = 0 THEN 3 WHEN level < 3 THEN 8 END
                    ELSE (ARRAY[2, 5, 5, 8, 10])[level::integer + 1]
                END::integer AS class
            FROM named JOIN chosen t USING (fid), LATERAL (
                -- What only a typo makes the word of a category, a district or another name is rather a name with that typo,
                -- whose thing goes first.
                SELECT CASE WHEN tokens < total AND EXISTS (
                    SELECT FROM near
                    WHERE near.token <> ALL (which) AND NOT t.context && near.words AND NOT t.words && near.words
                ) THEN 4 ELSE 0 END AS guessed
            ) g
        ), best AS (
            SELECT DISTINCT ON (fid) * FROM classed WHERE class IS NOT NULL
            ORDER BY fid, class, off, left_over, owner
        ), measured AS (
            SELECT best.*, CASE WHEN lon IS NOT NULL THEN public.ST_Distance(coalesce(area, public.geography(geom)),
                public.geography(public.ST_SetSRID(public.ST_MakePoint(lon, lat), 4326))) END AS distance
            FROM best
        )
        SELECT layer, kind, id, class, weight, off, owner,
            (SELECT coalesce(jsonb_agg(DISTINCT jsonb_build_array(starts[n], ends[n])), '[]') FROM unnest(at) n),
            left_over::integer, distance
        FROM measured
        ORDER BY class, search.nearness(class, off), weight DESC, distance,
            -- What it is called before what it is called too.
            owner > 2, left_over, off, layer, id
        LIMIT wanted;
END $$;

-- What a question may mean, best first: names as they are asked; with the words of a thing's category or district, where
-- names alone are few; with the question's words written together; then what is only alike. Nothing where nothing fits.
CREATE FUNCTION search.find(
    forms text[], tokens integer[], sounds text[], heard text[], misspelt text[], loose boolean[], needed integer[],
    total integer, joined text, joined_sound text, joined_heard text, joined_misspelt text, whole text,
    lon double precision, lat double precision, box double precision[], layers text[], wanted integer
) RETURNS SETOF search.finding
LANGUAGE plpgsql STABLE PARALLEL SAFE
-- Planning for the values of each question takes longer than answering it.
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    alike boolean;
    meant search.meaning[];
    found search.finding[];
BEGIN
    FOREACH alike IN ARRAY ARRAY[false, true] LOOP
        -- One word that must be met is as alone as one that stands alone.
        meant := search.meant(forms, tokens, sounds, heard, misspelt, loose, cardinality(needed), alike);
        found := ARRAY(SELECT a FROM search.attempt(meant, needed, total, whole, false, lon, lat, box, layers, wanted) a);
        IF total > 1 AND cardinality(found) = 0 AND joined <> '' THEN
            found := ARRAY(SELECT a FROM search.attempt(
                search.meant(ARRAY[joined], ARRAY[1], ARRAY[joined_sound], ARRAY[joined_heard], ARRAY[joined_misspelt],
                    ARRAY[false], 1, alike AND joined_misspelt <> ''),
                ARRAY[1], 1, '', false, lon, lat, box, layers, wanted) a);
        END IF;
        -- Where a word is met by no name, it may be that of a kind: ``station Lissasfa``.
        IF total > 1 AND (cardinality(found) = 0 OR (found[1]).class > CASE WHEN cardinality(found) < wanted THEN 1 ELSE 7 END)
        THEN
            -- A letter begins the name of some category or district always.
            meant := ARRAY(
                SELECT m FROM unnest(meant) m WHERE m.level <> 2 OR NOT EXISTS (
                    SELECT FROM unnest(forms, tokens) f(form, token) WHERE f.token = m.token AND length(f.form) = 1));
            found := found
                || ARRAY(SELECT a FROM search.attempt(meant, needed, total, whole, true, lon, lat, box, layers, wanted) a);
        END IF;
        IF cardinality(found) > 0 THEN
            RETURN QUERY SELECT f.layer, f.kind, f.id, f.class, f.weight, f.off, f.owner, f.spans, f.left_over, f.distance
                FROM (
                    SELECT DISTINCT ON (u.layer, u.kind, u.id) * FROM unnest(found) u
                    ORDER BY u.layer, u.kind, u.id, u.class, u.off
                ) f
                ORDER BY f.class, search.nearness(f.class, f.off), f.weight DESC, f.distance, f.owner > 2, f.left_over, f.off,
                    f.layer, f.id
                LIMIT wanted;
            RETURN;
        END IF;
    END LOOP;
END $$;
