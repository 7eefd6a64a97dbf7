rule evaluation:
    input:
        unpack(lambda wildcards: plan.evaluation_inputs(wildcards.key)),
        settings="results/evaluation/{key}/settings.yaml",
        code=code_of("evaluation"),
    output:
        scores="results/evaluation/{key}/scores.json",
        tables=multiext("results/evaluation/{key}/", "per_class.csv", "per_image.csv", "wrong_tags.csv", "curves.csv"),
    log:
        "logs/evaluation/{key}.log",
    conda:
        "../../envs/matlabel.yaml"
    resources:
        mem_mb=memory_of,
        runtime=minutes_of,
        cpus_per_task=cores_of,
    params:
        code=sources_digest("evaluation"),
        folders=lambda wildcards, input: " ".join(
            folder_option(stage)(wildcards)
            for stage in ("cam", "activations", "trimaps", "mattes", "labels", "predictions")
            if input.get(stage)
        ),
        held_out=lambda wildcards, input: option("held-out", input.get("held_out")),
        masks=lambda wildcards, input: option("masks", input.get("masks")),
    shell:
        "matlabel evaluation --settings {input.settings} --dataset {input.list} {params.held_out} {params.masks}"
        " {params.folders} --out {output.scores} --code {params.code} > {log} 2>&1"
