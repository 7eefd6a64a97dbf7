rule cam:
    input:
        manifests=lambda wildcards: [] if plan.frozen(wildcards.key) else manifests_of(wildcards),
        checks=lambda wildcards: [] if plan.frozen(wildcards.key) else all_shards_of("dataset")(wildcards),
        list=lambda wildcards: [] if plan.frozen(wildcards.key) else list_of(wildcards),
        settings="results/cam/{key}/settings.yaml",
        start=start_of,
        code=code_of("cam"),
    output:
        weights="results/cam/{key}/model.safetensors",
        beside=multiext("results/cam/{key}/", "history.csv", "check.json", "held_out.csv"),
    log:
        "logs/cam/{key}.log",
    conda:
        "../../envs/matlabel.yaml"
    threads: threads_of
    resources:
        mem_mb=memory_of,
        runtime=minutes_of,
        cpus_per_task=cores_of,
        mpi=on_several_machines(lambda settings: "srun"),
        nodes=nodes_of,
        tasks=on_several_machines(lambda settings: settings.processes),
        # Not a multiple of the GPUs, as the executor has it without this.
        tasks_per_gpu=on_several_machines(lambda settings: -1),
        gpu=gpus_of,
        device=plan.config.device,
        workers=workers_of,
        slurm_extra=on_several_machines(shares_of),
        # A resource and not a parameter: no part of the result.
        launch=launch_of,
    params:
        code=sources_digest("cam"),
        dataset=lambda wildcards, input: option("dataset", input.list),
    # A scheduler signals every process of a job: shell and tee outlive the training, which ends by itself.
    shell:
        "trap '' TERM; {resources.launch} matlabel cam --settings {input.settings} {params.dataset} --out {output.weights} --device {resources.device} --workers {resources.workers}"
        " --code {params.code} 2>&1 | tee {log}"
