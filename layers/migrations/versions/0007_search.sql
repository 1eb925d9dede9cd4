CREATE SCHEMA search;

-- Every distinct form of a word, its sound with and without vowels (of an Arabic one a pattern of what it is in Latin
-- letters), what it is with a letter left out, and in how many things it stands.
CREATE TABLE search.words (
    id integer PRIMARY KEY,
    form text COLLATE "C" NOT NULL UNIQUE,
    sound text COLLATE "C" NOT NULL,
    heard text COLLATE "C" NOT NULL,
    misspelt text[] COLLATE "C" NOT NULL,
    arabic boolean NOT NULL,
    uses bigint NOT NULL
);
CREATE INDEX words_sound_idx ON search.words (sound, uses DESC) WHERE sound <> '';
CREATE INDEX words_misspelt_idx ON search.words USING gin (misspelt);
CREATE INDEX words_trigrams_idx ON search.words USING gin (form public.gin_trgm_ops);

-- Other names that people use, from data/aliases.csv.
CREATE TABLE search.aliases (
    kind text NOT NULL,
    target text NOT NULL,
    alias text NOT NULL,
    lang text NOT NULL,
    PRIMARY KEY (kind, target, alias)
);

-- One row for each thing. The words of all its names stand one after the other, each with the number of its name
-- (the first is French, the second Arabic) and its place in it.
CREATE TABLE search.things (
    kind text NOT NULL,
    layer text NOT NULL,
    id text NOT NULL,
    entry text,
    weight smallint NOT NULL,
    -- Words of the shortest name.
    shortest smallint NOT NULL,
    names text[] NOT NULL,
    sizes smallint[] NOT NULL,
    words integer[] NOT NULL,
    owners smallint[] NOT NULL,
    starts smallint[] NOT NULL,
    ends smallint[] NOT NULL,
    -- Words of its category and district, in case somebody adds them.
    context integer[] NOT NULL,
    -- Those of its category alone.
    category_words integer[] NOT NULL,
    -- The keys of both, to be shown.
    category text,
    district text,
    -- Whether it is at one point, and where; of lines and areas some point on them, of categories null.
    place boolean NOT NULL,
    geom public.geometry(Point, 4326),
    -- Of districts, from whose border the way is measured.
    area public.geography,
    source text NOT NULL,
    fid bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    PRIMARY KEY (layer, kind, id)
);
CREATE INDEX things_words_idx ON search.things USING gin (words);
CREATE INDEX things_context_idx ON search.things USING gin (context);
-- What is known by its kind, or by a single word: of the others there may be a million.
CREATE INDEX things_known_idx ON search.things USING gin (words) WHERE weight > 30 OR shortest = 1;
CREATE INDEX things_geog_idx ON search.things USING gist (public.geography(geom));
CREATE INDEX things_entry_idx ON search.things (entry) WHERE entry IS NOT NULL;

-- Whether two words differ by a letter: one too many, one too few, another one, or two that have changed places.
CREATE FUNCTION search.mistyped(one text, other text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT abs(length(one) - length(other)) <= 1 AND EXISTS (
        SELECT FROM generate_series(1, greatest(length(one), length(other))) AS at
        WHERE left(one, at - 1) = left(other, at - 1) AND (
            substr(one, at + 1) = substr(other, at + 1)
            OR substr(one, at + 1) = substr(other, at)
            OR substr(one, at) = substr(other, at + 1)
            OR (substr(one, at, 2) = reverse(substr(other, at, 2)) AND substr(one, at + 2) = substr(other, at + 2))
        )
    )
$$;

-- Whether two words that sound alike but for their vowels, in two scripts, may be one word: long ones are; in short ones
-- each vowel that the Arabic writes stands in the Latin one too.
CREATE FUNCTION search.one_word(sound text, pattern text, voiced text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT length(ltrim(sound, 'a')) > 3 OR voiced ~ pattern $$;

-- The words that a form of a question may mean. level: 0 the same, 1 the same sound in another script, 2 a beginning,
-- 3 the same sound, 4 alike; off: how far from it, from 0 to 1. A number is no other number, nor is a code (T1) another.
CREATE FUNCTION search.meanings(
    form text, sound text, heard text, misspelt text, loose boolean, alone boolean, alike boolean
) RETURNS TABLE (word integer, level smallint, off real, uses bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
#variable_conflict use_column
DECLARE
    in_arabic CONSTANT boolean := form ~ '[؀-ۿ]';
    last CONSTANT text := chr(1114111);
    digits CONSTANT text := regexp_replace(form, '[^0-9]', '', 'g');
    known boolean;
BEGIN
    RETURN QUERY SELECT w.id, 0::smallint, 0::real, w.uses FROM search.words w WHERE w.form = meanings.form;
    known := FOUND;
    IF length(sound) > 1 OR (sound <> '' AND NOT alone) THEN
        RETURN QUERY
            SELECT w.id,
                CASE WHEN loose THEN 1 ELSE 3 END::smallint,
                CASE WHEN w.arabic <> in_arabic THEN 0.3 ELSE (1 - public.similarity(w.form, meanings.form)) * 0.5 END::real,
                w.uses
            FROM search.words w
            WHERE w.sound = meanings.sound AND w.sound <> '' AND w.form <> meanings.form
                AND CASE
                    WHEN w.arabic AND NOT in_arabic THEN search.one_word(w.sound, w.heard, meanings.heard)
                    WHEN in_arabic AND NOT w.arabic THEN search.one_word(w.sound, meanings.heard, w.heard)
                    ELSE loose OR (public.similarity(w.form, meanings.form) >= 0.25
                        AND abs(length(w.form) - length(meanings.form)) <= 2)
                END
            ORDER BY w.uses DESC LIMIT 30;
    END IF;
    IF form !~ '^[0-9]$' THEN
        RETURN QUERY
            SELECT w.id, 2::smallint, (1 - length(meanings.form)::real / length(w.form))::real, w.uses FROM search.words w
            WHERE w.form > meanings.form AND w.form < meanings.form || last
                AND (digits = '' OR regexp_replace(w.form, '[^0-9]', '', 'g') = digits)
            ORDER BY w.uses DESC LIMIT 40;
    END IF;
    IF NOT alike THEN
        RETURN;
    END IF;
    IF misspelt <> '' AND (length(form) >= 4 OR in_arabic OR NOT alone) THEN
        RETURN QUERY
            SELECT w.id, 4::smallint, (0.2 + (1 - public.similarity(w.form, meanings.form)) * 0.3)::real, w.uses
            FROM search.words w
            WHERE w.misspelt && string_to_array(meanings.misspelt, ' ') COLLATE "C" AND w.form <> meanings.form
                AND search.mistyped(w.form, meanings.form)
                -- Arabic words are nearly all consonants: a short one with another of them is another word.
                AND NOT (in_arabic AND length(meanings.form) <= 5 AND length(w.form) = length(meanings.form)
                    AND NOT string_to_array(w.form, NULL) <@ string_to_array(meanings.form, NULL))
                -- Of short words hardly anything is left without their first letter.
                AND (length(meanings.form) > 4 OR left(w.form, 1) = left(meanings.form, 1)
                    OR left(w.form, 2) = reverse(left(meanings.form, 2)))
                AND regexp_replace(w.form, '[^0-9]', '', 'g') = digits
            ORDER BY w.uses DESC LIMIT 30;
        known := known OR FOUND;
    END IF;
    -- Whoever has mistyped more than a letter has not typed another word.
    IF NOT known AND length(form) >= 5 AND digits = '' THEN
        RETURN QUERY
            SELECT w.id, 4::smallint, (1 - public.similarity(w.form, meanings.form))::real, w.uses
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

-- A thing that was found: how well (class, the smaller the better; off, from 0 on), by which of its names and which parts
-- of it, how many words of it were not asked for, and how far it is in metres.
CREATE TYPE search.finding AS (
    layer text, kind text, id text, class integer, weight smallint, off real, owner smallint, spans jsonb,
    left_over integer, distance double precision
);

-- A word that one of a question's words may mean, and in how many things it stands.
CREATE TYPE search.meaning AS (token integer, word integer, level smallint, off real, uses bigint);

-- All that the words of a question may mean, the nearest meaning of each word.
CREATE FUNCTION search.meant(
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
        ORDER BY f.token, m.word, m.level, m.off
    ) m
$$;

-- The things that are worth ranking, by their fid: all that may be meant, unless they are many. Each needed word must
-- be met by a name, or, with context, by a thing's category or district.
CREATE FUNCTION search.candidates(
    meant search.meaning[], needed integer[], with_context boolean, lon double precision, lat double precision,
    box double precision[], layers text[]
) RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
DECLARE
    -- How many are looked at of the things that are known by their names, of the rest, which may be a million, and of
    -- those around a position.
    many CONSTANT integer := 20000;
    few CONSTANT integer := 1500;
    around CONSTANT integer := 1000;
    -- What a word means by far is not looked for once nearer words stand in so many things.
    enough CONSTANT integer := CASE WHEN cardinality(needed) = 1 THEN 1500 ELSE 30000 END;
    met CONSTANT text := CASE WHEN with_context
        THEN ' AND (t.words && %1$L::integer[] OR t.context && %1$L::integer[])' ELSE ' AND t.words && %1$L::integer[]' END;
    things double precision;
    likely double precision := 1;
    far text := '';
    near text := '';
    same text := 'true';
    place text;
    first text;
    bounds text := '';
    chosen text;
    one record;
    rows bigint[];
BEGIN
    SELECT greatest(1, reltuples) INTO things FROM pg_class WHERE oid = 'search.things'::regclass;
    FOR one IN
        SELECT n.token, array_agg(m.word) AS words, array_agg(m.word) FILTER (WHERE m.before <= enough) AS near,
            array_agg(m.word) FILTER (WHERE m.level < 2) AS same, sum(m.uses) FILTER (WHERE m.before <= enough) AS uses
        FROM unnest(needed) AS n(token) LEFT JOIN (
            SELECT *, sum(u.uses) OVER (PARTITION BY u.token ORDER BY u.level, u.off, u.word) - u.uses AS before
            FROM unnest(meant) u
        ) m ON m.token = n.token
        GROUP BY n.token
    LOOP
        IF one.uses IS NULL THEN
            RETURN NULL;
        END IF;
        likely := likely * least(1, one.uses / things);
        far := far || format(met, one.words);
        near := near || format(met, one.near);
        same := same || format(met, coalesce(one.same, '{}'));
    END LOOP;
    IF with_context THEN
        -- Whoever meets it all by names has been found without.
        bounds := format(' AND t.context && %L::integer[]', ARRAY(SELECT u.word FROM unnest(meant) u));
    END IF;
    IF layers IS NOT NULL THEN
        bounds := bounds || format(' AND t.layer = ANY (%L::text[])', layers);
    END IF;
    IF box IS NOT NULL THEN
        -- West of its east side, or, over the antimeridian, outside of what lies between its sides.
        bounds := bounds || format(
            ' AND (t.kind = ''category'' OR ((public.ST_X(t.geom) >= %1$s %5$s public.ST_X(t.geom) <= %3$s) '
            'AND public.ST_Y(t.geom) BETWEEN %2$s AND %4$s))',
            box[1], box[2], box[3], box[4], CASE WHEN box[1] > box[3] THEN 'OR' ELSE 'AND' END);
    END IF;
    place := format('public.ST_SetSRID(public.ST_MakePoint(%s, %s), 4326)', lon, lat);
    -- What ranking will put first, as far as it can be told at once.
    first := format('(%s) DESC, (t.shortest <= %s) DESC, t.weight DESC, %s t.shortest', same, cardinality(needed),
        CASE WHEN lon IS NOT NULL THEN 't.geom OPERATOR(public.<->) ' || place || ',' ELSE '' END);
    chosen := format('(SELECT t.fid FROM (SELECT * FROM search.things t WHERE (t.weight > 30 OR t.shortest = 1)%s%s LIMIT %s) t '
        'ORDER BY %s LIMIT 300)', far, bounds, many, first);
    IF likely * things <= few THEN
        -- All of them are planned for, as a limit would make it read the table from its beginning, in the hope to meet
        -- words together that never stand together.
        chosen := chosen || format(' UNION ALL (SELECT t.fid FROM (WITH t AS MATERIALIZED (SELECT t.fid, t.words, '
            't.context, t.weight, t.geom, t.shortest FROM search.things t WHERE t.weight <= 30%s%s) SELECT * FROM t LIMIT %s) t '
            'ORDER BY %s LIMIT 200)', near, bounds, 2 * few, first);
    ELSE
        -- They lie in the order of rank, as far as they have been stored at once.
        chosen := chosen || format(CASE WHEN cardinality(needed) = 1
            THEN ' UNION ALL (SELECT t.fid FROM search.things t WHERE t.weight <= 30%s%s LIMIT 200)'
            ELSE ' UNION ALL (SELECT t.fid FROM (WITH t AS MATERIALIZED (SELECT t.fid FROM search.things t '
                'WHERE t.weight <= 30%s%s) SELECT * FROM t LIMIT 200) t)' END, near, bounds);
        IF lon IS NOT NULL THEN
            chosen := chosen || format(' UNION ALL (SELECT t.fid FROM (SELECT * FROM search.things ORDER BY '
                'public.geography(geom) OPERATOR(public.<->) public.geography(%s) LIMIT %s) t '
                'WHERE t.weight <= 30%s%s LIMIT 30)', place, around, near, bounds);
        END IF;
    END IF;
    EXECUTE 'SELECT array_agg(DISTINCT c.fid) FROM (' || chosen || ') c' INTO rows;
    RETURN rows;
END $$;

-- How far from what was asked a thing is within its class, for the order of rank: words as they are, or begun, are as near.
CREATE FUNCTION search.nearness(class integer, off real) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN class IN (0, 2, 3, 5) THEN 0 ELSE round(off::numeric, 1) END $$;

-- The things that one way to understand a question finds, with the best of their names, best first.
CREATE FUNCTION search.attempt(
    meant search.meaning[], needed integer[], total integer, with_context boolean, lon double precision,
    lat double precision, box double precision[], layers text[], wanted integer
) RETURNS SETOF search.finding
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
#variable_conflict use_column
DECLARE
    -- Found before, so that what is said of them is planned once a session and not for every question.
    rows CONSTANT bigint[] := search.candidates(meant, needed, with_context, lon, lat, box, layers);
BEGIN
    IF rows IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
        WITH known AS MATERIALIZED (
            SELECT * FROM unnest(meant)
        ), chosen AS MATERIALIZED (
            SELECT * FROM search.things WHERE fid = ANY (rows)
        ), met AS (
            SELECT t.layer, t.kind, t.id, u.owner, m.token, min(m.level * 10 + m.off) AS worst,
                min(u.n) AS n
            FROM chosen t, unnest(t.words, t.owners) WITH ORDINALITY AS u(word, owner, n) JOIN known m ON m.word = u.word
            GROUP BY t.layer, t.kind, t.id, u.owner, m.token
        ), alike AS (
            -- Of a category that was asked for: in some place, as its name does not say it all.
            SELECT t.layer, t.kind, t.id FROM chosen t
            WHERE with_context
                AND t.category_words && ARRAY(SELECT m.word FROM known m WHERE m.level <= 2)
        ), named AS (
            SELECT layer, kind, id, owner, count(*) AS tokens, count(DISTINCT n) AS places, array_agg(n ORDER BY n) AS at,
                max(floor(worst / 10)) AS level, sum(worst - floor(worst / 10) * 10)::real AS off
            FROM met GROUP BY layer, kind, id, owner
            UNION ALL
            SELECT layer, kind, id, 1::smallint, 0, 0, '{}', 0, 1
            FROM alike WHERE (layer, kind, id) NOT IN (SELECT layer, kind, id FROM met)
        ), classed AS (
            SELECT named.*, t.weight, t.sizes[owner] - places AS left_over, t.starts, t.ends, t.geom, t.area,
                CASE
                    WHEN tokens < total AND (layer, kind, id) IN (SELECT layer, kind, id FROM alike)
                        THEN CASE WHEN tokens = 0 THEN 6 WHEN level <= 2 THEN 5 ELSE level + 5 END
                    WHEN tokens < total THEN greatest(6, level + 6)
                    WHEN t.sizes[owner] <= places THEN (ARRAY[0, 1, 3, 4, 7])[level::integer + 1]
                    -- A word somewhere in a long name says less than the word that it begins with.
                    -- Asked for alone it says no less than a whole name that only sounds alike.
                    -- Asked for alone, but only alike, it says nothing.
                    WHEN t.sizes[owner] - places > greatest(2, places) AND at[1] <> array_position(t.owners, owner)
                        THEN CASE WHEN total > 1 THEN greatest(6, level + 4) WHEN level = 0 THEN 3 WHEN level < 3 THEN 6 END
                    ELSE (ARRAY[2, 5, 5, 6, 8])[level::integer + 1]
                END::integer AS class
            FROM named JOIN chosen t USING (layer, kind, id)
        ), best AS (
            SELECT DISTINCT ON (layer, kind, id) * FROM classed WHERE class IS NOT NULL
            ORDER BY layer, kind, id, class, off, left_over, owner
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
    total integer, joined text, joined_sound text, joined_heard text, joined_misspelt text, lon double precision,
    lat double precision, box double precision[], layers text[], wanted integer
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
        meant := search.meant(forms, tokens, sounds, heard, misspelt, loose, total, alike);
        found := ARRAY(SELECT a FROM search.attempt(meant, needed, total, false, lon, lat, box, layers, wanted) a);
        IF total > 1 AND cardinality(found) = 0 AND joined <> '' THEN
            found := ARRAY(SELECT a FROM search.attempt(
                search.meant(ARRAY[joined], ARRAY[1], ARRAY[joined_sound], ARRAY[joined_heard], ARRAY[joined_misspelt],
                    ARRAY[false], 1, alike AND joined_misspelt <> ''),
                ARRAY[1], 1, false, lon, lat, box, layers, wanted) a);
        END IF;
        IF total > 1 AND cardinality(found) < wanted AND (cardinality(found) = 0 OR (found[1]).class > 1) THEN
            -- A letter begins the name of some category or district always.
            meant := ARRAY(
                SELECT m FROM unnest(meant) m WHERE m.level <> 2 OR NOT EXISTS (
                    SELECT FROM unnest(forms, tokens) f(form, token) WHERE f.token = m.token AND length(f.form) = 1));
            found := found
                || ARRAY(SELECT a FROM search.attempt(meant, needed, total, true, lon, lat, box, layers, wanted) a);
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
