-- The things that a question finds, best first.

-- A text as it is written, articles and all, but for case, accents and what stands between its words.
CREATE FUNCTION search.written(text text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
AS $$ SELECT btrim(regexp_replace(search.plain(text), '[^[:alnum:]]+', ' ', 'g')) $$;

-- How far from what was asked a thing is within its class, for the order of rank: words as they are, or begun, are as near,
-- but for other spellings that are begun.
CREATE FUNCTION search.nearness(class integer, off real) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN class IN (-1, 0, 2, 3, 5, 6, 7) THEN (off >= 8)::integer::numeric ELSE round(off::numeric, 1) END
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
    bounds := bounds || search.bounds(layers, box);
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
    -- Words for quarter, which many a place has in its name.
    quarter CONSTANT text[] := '{quartier,hay,حي}';
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
                -- Or by another spelling of its own script, farmacie, which is nearer than what sounds alike in the other one.
                AND t.category_words && ARRAY(SELECT m.word FROM known m WHERE m.level <= 2 OR (m.level = 3 AND m.off < 0.3))
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
                    -- A district by its whole name, beside a word for quarter: any place there may have both in its name.
                    WHEN tokens < total AND t.kind = 'district' AND t.sizes[owner] <= places AND level < 2 AND NOT EXISTS (
                        SELECT FROM known m JOIN search.words w ON w.id = m.word WHERE m.token <> ALL (which)
                        GROUP BY m.token HAVING NOT bool_or(m.level = 0 AND w.form = ANY (quarter))
                    ) THEN 2
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
-- names alone are few; with the question's words written together; what stands in a street that is named; where nothing of
-- these is found, what is only alike. Nothing where nothing fits.
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
    -- From this class on a thing is found by the sound of a word and a place: perhaps a name with a typo is meant.
    weak CONSTANT integer := 10;
    -- What a district is governed by or from: where there is none of these, it is the district that helps.
    governing CONSTANT text[] := '{annexe,arrondissement,commune,mairie,بلديه,جماعه,ملحقه,مقاطعه}';
    districts CONSTANT text := 'districts';
    governed CONSTANT integer[] := ARRAY(
        SELECT n FROM unnest(needed) n WHERE n NOT IN (
            SELECT f.token FROM unnest(forms, tokens) f(form, token) WHERE f.form = ANY (governing)));
    alike boolean;
    meant search.meaning[];
    found search.finding[];
    before search.finding[] := '{}';
    streets CONSTANT search.finding[] := ARRAY(
        SELECT a FROM search.along(forms, tokens, needed, lon, lat, box, layers, wanted) a);
BEGIN
    FOREACH alike IN ARRAY ARRAY[false, true] LOOP
        -- One word that must be met is as alone as one that stands alone.
        meant := search.meant(forms, tokens, sounds, heard, misspelt, loose, cardinality(needed), alike);
        found := ARRAY(SELECT a FROM search.attempt(meant, needed, total, whole, false, lon, lat, box, layers, wanted) a);
        IF total > 1 AND cardinality(found) = 0 AND joined <> '' THEN
            found := ARRAY(SELECT a FROM search.attempt(
                -- Words that are a category's and a district's are no misspelling together: ``cinema maarif``.
                search.meant_together(joined, joined_sound, joined_heard, joined_misspelt,
                    alike AND NOT needed <@ ARRAY(SELECT s.token FROM search.settled(meant) s), meant),
                ARRAY[1], 1, '', false, lon, lat, box, layers, wanted) a);
        END IF;
        -- Where a word is met by no name, it may be that of a kind: ``station Lissasfa``.
        IF total > 1 AND (cardinality(found) = 0 OR (found[1]).class > CASE WHEN cardinality(found) < wanted THEN 1 ELSE 7 END)
        THEN
            -- A letter begins the name of some category or district always.
            meant := ARRAY(
                SELECT m FROM unnest(meant) m WHERE m.level <> 2 OR NOT EXISTS (
                    SELECT FROM unnest(forms, tokens) f(form, token) WHERE f.token = m.token AND length(f.form) = 1));
            meant := search.nearest(meant);
            found := found
                || ARRAY(SELECT a FROM search.attempt(meant, needed, total, whole, true, lon, lat, box, layers, wanted) a);
        END IF;
        IF NOT alike AND NOT EXISTS (SELECT FROM unnest(found) f WHERE f.class < weak) THEN
            before := found;
            -- Where there is the street that was named, nothing else is misspelt.
            CONTINUE WHEN cardinality(streets) = 0;
        END IF;
        found := found || before || streets;
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
    IF cardinality(governed) BETWEEN 1 AND cardinality(needed) - 1 AND (layers IS NULL OR districts = ANY (layers)) THEN
        RETURN QUERY SELECT * FROM search.attempt(meant, governed, total, whole, false, lon, lat, box, ARRAY[districts], wanted);
    END IF;
END $$;
